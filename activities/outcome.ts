import { ApplicationFailure } from '@temporalio/common';
import { GoChatError, isRetryable } from '../lib/errors.ts';
import type { Refusal } from '../workflows/contracts/refusal.ts';

/**
 * What a step answers when im-repo may refuse it: a final code becomes a result for the flow to judge. What is
 * transient is thrown, and Temporal tries again.
 */
export async function orRefusal<T extends object>(step: Promise<T>): Promise<({ ok: true } & T) | Refusal> {
  try {
    return { ok: true, ...(await step) };
  } catch (error) {
    if (isFinal(error)) return { ok: false, code: error.code, message: error.message };
    // A wait that is known is longer than a flow's next try.
    if (error instanceof GoChatError && error.code === 'RATE_LIMITED' && error.retryAfterMs !== undefined) {
      const retryAt = Date.now() + error.retryAfterMs;
      return { ok: false, code: error.code, message: error.message, retryAt };
    }
    throw error;
  }
}

/** For a step that nobody can refuse: a final code ends the activity for good, the rest is tried again. */
export async function orFailure<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if (isFinal(error)) throw ApplicationFailure.nonRetryable(error.message, error.code);
    throw error;
  }
}

const isFinal = (error: unknown): error is GoChatError =>
  error instanceof GoChatError && !isRetryable(error.code);
