import type { Code } from '../../lib/errors.ts';

/** A business refusal is a result: it stays the answer of its update, and no workflow fails over it. */
export type Refusal = {
  ok: false;
  code: Code;
  message: string;
  /** When the same command may succeed, Unix milliseconds, where that is known. */
  retryAt?: number;
};
