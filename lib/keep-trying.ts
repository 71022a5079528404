import { type Pauses, retry } from './async/retry.ts';
import type { Logger } from './log.ts';

const dependencyPauses: Pauses = { firstMs: 200, longestMs: 5000 };

/**
 * Repeats `attempt` until it succeeds, and logs each failure. With this, a process can start while a dependency is down
 * and continues as soon as the dependency is up. `what` completes the sentence "cannot … yet" in the log. Rejects only
 * if `signal` is aborted.
 */
export const keepTrying = <T>(
  what: string,
  attempt: () => Promise<T>,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<T> =>
  retry(attempt, {
    ...dependencyPauses,
    signal,
    onPause: (error, pauseMs) => log.warn({ err: error, pauseMs }, `cannot ${what} yet`),
  });
