import { GoChatError, isRetryable } from '../../../lib/errors.ts';

/**
 * The result of a look-up, or undefined if it was refused: the subject of an event may have been deleted since.
 * Rethrows retryable errors and faults.
 */
export async function undefinedIfGone<T>(lookUp: Promise<T>): Promise<T | undefined> {
  try {
    return await lookUp;
  } catch (error) {
    if (error instanceof GoChatError && !isRetryable(error.code)) return undefined;
    throw error;
  }
}
