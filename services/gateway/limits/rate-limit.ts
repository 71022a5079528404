// Room: rate limits of users, sessions and addresses. The callers decide what is counted.

import { GoChatError } from '../../../lib/errors.ts';

type Window = { endsAt: number; used: number };

export type RateLimit = {
  /** Counts one use of a key. Throws RATE_LIMITED, with the time to wait, if the window has no uses left. */
  take(key: string): void;
  /** Takes one counted use back. */
  giveBack(key: string): void;
  /** Forgets all uses of a key. */
  forget(key: string): void;
};

/** RATE_LIMITED, with the seconds after which a retry may succeed. */
export class RateLimitedError extends GoChatError {
  readonly retryAfterSeconds: number;

  constructor(sentence: string, waitMs: number) {
    super('RATE_LIMITED', sentence, [], waitMs);
    this.retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  }
}

const defaultMaxKeys = 100_000;

/**
 * Allows `limit` uses per key in a window, which begins with the first use of the key. 0 switches the limit off. At most
 * `maxKeys` keys are kept; the oldest window is dropped first.
 */
export function createRateLimit(options: {
  limit: number;
  windowMs: number;
  /** The error message of a refused use. */
  sentence: string;
  maxKeys?: number;
  now?: () => number;
}): RateLimit {
  const { limit, windowMs, maxKeys = defaultMaxKeys } = options;
  const now = options.now ?? Date.now;

  const windows = new Map<string, Window>();

  function windowOf(key: string): Window {
    const known = windows.get(key);
    if (known && known.endsAt > now()) return known;
    // Delete and set again, so that the map stays in the order in which windows end.
    windows.delete(key);
    const fresh = { endsAt: now() + windowMs, used: 0 };
    windows.set(key, fresh);
    dropOldest();
    return fresh;
  }

  function dropOldest(): void {
    for (const [key, { endsAt }] of windows) {
      if (endsAt > now() && windows.size <= maxKeys) return;
      windows.delete(key);
    }
  }

  return {
    take(key) {
      if (limit === 0) return;
      const window = windowOf(key);
      if (window.used >= limit) throw new RateLimitedError(options.sentence, window.endsAt - now());
      window.used += 1;
    },
    giveBack(key) {
      const window = windows.get(key);
      if (window && window.used > 0) window.used -= 1;
    },
    forget(key) {
      windows.delete(key);
    },
  };
}
