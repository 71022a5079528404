// Room: the checks of fields, ids, formats and pages that REST bodies and frames share. It asks no other service.

import { Ajv, type Options, type ValidateFunction } from 'ajv';
import type { FieldError } from '../../../lib/errors.ts';
import { formatSentences, formats } from './formats.ts';

/**
 * How everything that clients send is checked, REST bodies and frames alike: the first error ends it, and the size of a
 * list before what is in it, so that no input costs more to refuse than to read.
 */
export const validatorOptions: Options = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  allErrors: false,
};

export function addFormats(ajv: Ajv): Ajv {
  for (const [name, check] of Object.entries(formats)) ajv.addFormat(name, check);
  return ajv;
}

const ajv = addFormats(new Ajv(validatorOptions));

/** A check of one shape, which is a guard of its type. */
export const validatorOf = <T>(schema: object): ValidateFunction<T> => ajv.compile<T>(schema);

export type ValidationError = {
  keyword: string;
  instancePath: string;
  params: Record<string, unknown>;
  message?: string | undefined;
};

/** Which field is wrong, and why, as a predicate of it. The path is '' where the whole is. */
export function fieldErrorOf({ keyword, instancePath, params, message }: ValidationError): FieldError {
  const where = instancePath.slice(1);
  const missing = typeof params.missingProperty === 'string' ? params.missingProperty : undefined;
  const path = missing === undefined ? where : [where, missing].filter(Boolean).join('/');
  return { path, message: predicate(keyword, params, message) };
}

function predicate(keyword: string, params: Record<string, unknown>, message: string | undefined): string {
  if (keyword === 'required') return 'is required';
  if (keyword === 'enum' && Array.isArray(params.allowedValues)) {
    return `must be one of ${params.allowedValues.join(', ')}`;
  }
  if (keyword === 'format') return formatSentences[String(params.format)] ?? 'is not valid';
  return message ?? 'is not valid';
}
