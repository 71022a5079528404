// Room: the checks of fields, ids, formats and pages that REST bodies and frames share. It calls no other service.

import { Ajv, type Options, type ValidateFunction } from 'ajv';
import type { FieldError } from '../../../lib/errors.ts';
import { formatSentences, formats } from './formats.ts';

/**
 * Options for the checks of REST bodies and frames. A check ends at the first error, and checks the size of a list before
 * its items, so that no input costs more to refuse than to read.
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

/** Compiles a schema into a type guard. */
export const validatorOf = <T>(schema: object): ValidateFunction<T> => ajv.compile<T>(schema);

export type ValidationError = {
  keyword: string;
  instancePath: string;
  params: Record<string, unknown>;
  message?: string | undefined;
};

/** Returns the wrong field, and the error as a predicate of it. The path is '' if the whole value is wrong. */
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
