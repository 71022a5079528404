import type { Code } from '../../lib/errors.ts';

/**
 * A refusal by a business rule. It is a result, so that every retry of the update gets it and the workflow does not
 * fail.
 */
export type Refusal = {
  ok: false;
  code: Code;
  message: string;
  /** When the same command may succeed, Unix milliseconds, if known. */
  retryAt?: number;
};
