import { GoChatError, isRetryable } from '../../../lib/errors.ts';

/** What an event tells of may be gone by now: then there is nothing to show. An outage is thrown on. */
export async function orGone<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof GoChatError && !isRetryable(error.code)) return undefined;
    throw error;
  }
}
