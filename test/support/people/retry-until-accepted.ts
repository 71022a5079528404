import { ProblemError } from '../../../clients/sdk/rest.ts';
import { pause } from '../pause.ts';

const pauseMs = 200;
const longestMs = 90_000;

export type Accepted<T> = { answer: T; refusals: number };

/**
 * Repeats a call for as long as it is answered 503 or 500, or not at all: what clients may do with a call that carries an
 * Idempotency-Key. Any other refusal is thrown at once.
 */
export async function retryUntilAccepted<T>(call: () => Promise<T>): Promise<Accepted<T>> {
  const until = Date.now() + longestMs;
  for (let refusals = 0; ; refusals += 1) {
    try {
      return { answer: await call(), refusals };
    } catch (error) {
      if (!isTemporary(error) || Date.now() > until) throw error;
      await pause(pauseMs);
    }
  }
}

/** Said by a system in trouble, not about the request. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof ProblemError) return error.code === 'UNAVAILABLE' || error.code === 'INTERNAL_ERROR';
  return error instanceof Error && (error.name === 'TimeoutError' || error.message === 'fetch failed');
}
