import { ApplicationFailure } from '@temporalio/common';

/** A field that a job's input may have. */
export type Field<T> = { is(value: unknown): value is T; says: string };

export const flag: Field<boolean> = {
  is: (value) => typeof value === 'boolean',
  says: 'true or false',
};

export const milliseconds: Field<number> = {
  is: (value): value is number => Number.isSafeInteger(value) && Number(value) > 0,
  says: 'a whole number of milliseconds above 0',
};

type Parsed<Fields> = { [Name in keyof Fields]?: Fields[Name] extends Field<infer T> ? T : never };

/**
 * What a person gave a maintenance job on the command line; nothing at all is fine. Whatever is not understood ends
 * the job before it does anything: a misspelt `dryRun` must not be a real run.
 */
export function parseJobInput<Fields extends Record<string, Field<unknown>>>(
  input: unknown,
  fields: Fields,
): Parsed<Fields> {
  const wrong = complaints(input ?? {}, fields);
  if (wrong.length === 0) return (input ?? {}) as Parsed<Fields>;
  throw ApplicationFailure.nonRetryable(`The input is wrong: ${wrong.join('; ')}.`, 'INVALID_ARGUMENT');
}

function complaints(input: unknown, fields: Record<string, Field<unknown>>): string[] {
  const known = Object.keys(fields);
  if (typeof input !== 'object' || Array.isArray(input))
    return [`it must be an object with ${known.join(', ')}`];
  return Object.entries(input as Record<string, unknown>).flatMap(([name, value]) => {
    if (!known.includes(name)) return [`${name} is none of ${known.join(', ')}`];
    const field = fields[name];
    return field?.is(value) ? [] : [`${name} must be ${field?.says}`];
  });
}
