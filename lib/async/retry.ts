import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The shortest and the longest pause between two attempts, in milliseconds. Exponential back-off with jitter: a
 * pause is random between a length and its double, and the length doubles with each attempt, so that callers that
 * failed at the same time do not retry at the same time.
 */
export type Pauses = { firstMs: number; longestMs: number };

/** A random pause between `ms` and 2 × `ms`, in milliseconds. */
export const jittered = (ms: number): number => Math.round(ms * (1 + Math.random()));

/** Each call of the returned function answers the length of the next pause, in milliseconds. */
export function createBackoff({ firstMs, longestMs }: Pauses): () => number {
  let ms = firstMs;
  return () => {
    const pauseMs = jittered(ms);
    ms = Math.min(ms * 2, longestMs / 2);
    return pauseMs;
  };
}

export type RetryOptions = Pauses & {
  /** The maximum number of attempts; unlimited unless given. */
  tries?: number;
  /** No attempt starts later than this many milliseconds after the call; unlimited unless given. */
  withinMs?: number;
  /** True if another attempt may succeed. Without it, every error is transient. */
  isTransient?: (error: unknown) => boolean;
  /** Called before each pause. */
  onPause?: (error: unknown, pauseMs: number) => void;
  /** Ends a pause at once, and prevents further attempts. */
  signal?: AbortSignal;
};

/**
 * Repeats `attempt` with growing pauses until it succeeds, and answers its result. Rejects with the last error if that
 * error is not transient, or if attempts or time are used up; rejects with an AbortError, or the signal's reason, after
 * `signal` was aborted.
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { tries = Number.POSITIVE_INFINITY, withinMs, isTransient, onPause, signal } = options;
  const until = withinMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + withinMs;
  let nextPauseMs: (() => number) | undefined;
  for (let tried = 1; ; tried += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (tried >= tries || isTransient?.(error) === false) throw error;
      nextPauseMs ??= createBackoff(options);
      const pauseMs = nextPauseMs();
      if (performance.now() + pauseMs > until) throw error;
      onPause?.(error, pauseMs);
      await sleep(pauseMs, undefined, { signal });
    }
  }
}
