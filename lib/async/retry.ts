import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.ts';

/**
 * Pauses between tries, in milliseconds: the shortest and the longest. Each is drawn at random between a length and its
 * double, and the length doubles each time, so that those who failed in one moment do not come back in one moment.
 */
export type Pauses = { firstMs: number; longestMs: number };

/** A pause at random between `ms` milliseconds and twice as many. */
export const jittered = (ms: number): number => Math.round(ms * (1 + Math.random()));

/** Each call answers how long the next pause is, in milliseconds. */
export function createBackoff({ firstMs, longestMs }: Pauses): () => number {
  let ms = firstMs;
  return () => {
    const pauseMs = jittered(ms);
    ms = Math.min(ms * 2, longestMs / 2);
    return pauseMs;
  };
}

export type RetryOptions = Pauses & {
  /** How many tries there are; without a bound unless given. */
  tries?: number;
  /** No try begins later than so many milliseconds after the call. */
  withinMs?: number;
  /** Whether the same may work a little later. Without it every error counts as one that passes. */
  isPassing?: (error: unknown) => boolean;
  /** Called before each pause. */
  onPause?: (error: unknown, pauseMs: number) => void;
  /** Ends the tries, and a pause at once. */
  signal?: AbortSignal;
};

/**
 * Does something until it succeeds, with growing pauses, and answers its result. Rejects with the last error when that
 * does not pass, or when tries or time are used up; with an AbortError, or the signal's reason, once `signal` aborts.
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { tries = Number.POSITIVE_INFINITY, withinMs, isPassing, onPause, signal } = options;
  const until = withinMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + withinMs;
  let nextPauseMs: (() => number) | undefined;
  for (let tried = 1; ; tried += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (tried >= tries || isPassing?.(error) === false) throw error;
      nextPauseMs ??= createBackoff(options);
      const pauseMs = nextPauseMs();
      if (performance.now() + pauseMs > until) throw error;
      onPause?.(error, pauseMs);
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

const dependencyPauses: Pauses = { firstMs: 200, longestMs: 5000 };

/**
 * Does what a dependency's outage can prevent, until it is done. So a process starts while its dependency is down, says
 * so, and goes on by itself. Rejects only when `signal` aborts.
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
