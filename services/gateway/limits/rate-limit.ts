// Room: how much a user, a session or an address may do in a time. It counts; what is counted is decided by its
// callers.

import { GoChatError } from '../../../lib/errors.ts';

type Window = { endsAt: number; used: number };

export type RateLimit = {
  /** Counts one for the key. Throws RATE_LIMITED, with the wait, when the window's share is used up. */
  take(key: string): void;
  /** Gives one back: it turned out not to count. */
  giveBack(key: string): void;
  /** Forgets what the key used. */
  forget(key: string): void;
};

/** RATE_LIMITED with the seconds after which another try makes sense. */
export class RateLimitedError extends GoChatError {
  readonly retryAfterSeconds: number;

  constructor(sentence: string, waitMs: number) {
    super('RATE_LIMITED', sentence, [], waitMs);
    this.retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  }
}

const maxKeys = 100_000;

/**
 * So many a key in a window that begins with the key's first use; 0 switches it off. It remembers a bounded number
 * of keys: beyond it the oldest window is forgotten first.
 */
export function createRateLimit(options: {
  limit: number;
  windowMs: number;
  /** What the refused one reads. */
  sentence: string;
  maxKeys?: number;
  now?: () => number;
}): RateLimit {
  const { limit, windowMs } = options;
  const now = options.now ?? Date.now;
  const most = options.maxKeys ?? maxKeys;
  const windows = new Map<string, Window>();

  function windowOf(key: string): Window {
    const known = windows.get(key);
    if (known && known.endsAt > now()) return known;
    // Set anew, so that the map's order stays that of the windows' ends.
    windows.delete(key);
    const fresh = { endsAt: now() + windowMs, used: 0 };
    windows.set(key, fresh);
    dropOldest();
    return fresh;
  }

  function dropOldest(): void {
    for (const [key, { endsAt }] of windows) {
      if (endsAt > now() && windows.size <= most) return;
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
