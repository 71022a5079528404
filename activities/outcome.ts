import { ApplicationFailure } from '@temporalio/common';
import { GoChatError, isRetryable } from '../lib/errors.ts';
import type { Refusal } from '../workflows/contracts/refusal.ts';

/**
 * The result of a step that im-repo may refuse: a final error code becomes a result, so that the flow can decide. A
 * transient error is thrown, and Temporal retries the step.
 */
export async function orRefusal<T extends object>(step: Promise<T>): Promise<({ ok: true } & T) | Refusal> {
  try {
    return { ok: true, ...(await step) };
  } catch (error) {
    if (isFinal(error)) return { ok: false, code: error.code, message: error.message };
    // The flow would retry before the rate limit ends, so this error is returned with its time too.
    if (error instanceof GoChatError && error.code === 'RATE_LIMITED' && error.retryAfterMs !== undefined) {
      const retryAt = Date.now() + error.retryAfterMs;
      return { ok: false, code: error.code, message: error.message, retryAt };
    }
    throw error;
  }
}

/**
 * For a step that im-repo never refuses: a final error code fails the activity without a retry, others are retried.
 */
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
