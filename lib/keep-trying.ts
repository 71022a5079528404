import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './log.ts';

const firstPauseMs = 200;
const longestPauseMs = 5000;

/**
 * Does what a dependency's outage can prevent, again and again with growing pauses, until it is done. So a process
 * starts while its dependency is down, says so, and goes on by itself. Rejects only when `signal` aborts.
 */
export async function keepTrying<T>(
  what: string,
  attempt: () => Promise<T>,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, pauseMs }, `cannot ${what} yet`);
      await sleep(pauseMs, undefined, { signal });
    }
  }
}
