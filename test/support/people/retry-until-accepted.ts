import { ProblemError } from '../../../clients/sdk/rest.ts';
import { pause } from '../pause.ts';

const pauseMs = 200;
const maxRetryMs = 90_000;

export type Accepted<T> = { answer: T; refusals: number };

/**
 * Retries a call while it is answered 503 or 500, or not at all, for up to 90 s. Clients may do so with a call that
 * has an Idempotency-Key. Any other error is thrown at once.
 */
export async function retryUntilAccepted<T>(call: () => Promise<T>): Promise<Accepted<T>> {
  const until = Date.now() + maxRetryMs;
  for (let refusals = 0; ; refusals += 1) {
    try {
      return { answer: await call(), refusals };
    } catch (error) {
      if (!isTemporary(error) || Date.now() > until) throw error;
      await pause(pauseMs);
    }
  }
}

/** True for an error of the system, false for an error of the request. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof ProblemError) return error.code === 'UNAVAILABLE' || error.code === 'INTERNAL_ERROR';
  return error instanceof Error && (error.name === 'TimeoutError' || error.message === 'fetch failed');
}
