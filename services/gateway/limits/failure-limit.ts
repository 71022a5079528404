import { RateLimitedError } from './rate-limit.ts';

export type FailureLimit = {
  /**
   * Runs `work`, which may fail `limit` times per key and window; after that, rejects with RATE_LIMITED. Work in flight
   * counts as failed until its result is known, and further attempts wait for the result. So concurrent guesses get no
   * more tries than sequential ones, and a user who signs in correctly at many places at once is let in everywhere. If
   * too many attempts wait, further ones are rejected with RATE_LIMITED and may retry after a second.
   */
  attempt<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Like `attempt`, for work that is cheap and secrets that cannot be guessed: only failures count, and no call waits. */
  attemptFreely<T>(key: string, work: () => Promise<T>): Promise<T>;
};

type Attempts = { endsAt: number; failed: number; running: number; waiting: (() => void)[] };

const maxKeys = 100_000;
/** Attempts per key that wait for those in flight; further ones are rejected, and may retry after `busyMs`. */
const maxWaiting = 50;
const busyMs = 1000;

export function createFailureLimit(options: {
  /** Failures allowed per key and window. 0 switches the limit off. */
  limit: number;
  windowMs: number;
  isFailure: (error: unknown) => boolean;
  /** True: a success resets the failures before it. */
  successForgives: boolean;
  /** The error message after too many failures. */
  sentence: string;
  /** The error message while too many attempts wait. */
  busySentence: string;
  now?: () => number;
}): FailureLimit {
  const { limit, windowMs, isFailure, successForgives, sentence, busySentence } = options;
  const now = options.now ?? Date.now;
  const all = new Map<string, Attempts>();

  function attemptsOf(key: string): Attempts {
    const known = all.get(key);
    if (known && known.endsAt > now()) return known;
    // Delete and set again, so that the map stays in the order in which windows end.
    all.delete(key);
    const fresh: Attempts = known
      ? Object.assign(known, { endsAt: now() + windowMs, failed: 0 })
      : { endsAt: now() + windowMs, failed: 0, running: 0, waiting: [] };
    all.set(key, fresh);
    forgetOldest();
    return fresh;
  }

  function forgetOldest(): void {
    for (const [key, { endsAt, running }] of all) {
      if (endsAt > now() && all.size <= maxKeys) return;
      if (running === 0) all.delete(key);
    }
  }

  /** The attempts of a key in its window. Throws RATE_LIMITED if the key has used up its failures. */
  function openAttempts(key: string): Attempts {
    const attempts = attemptsOf(key);
    if (attempts.failed >= limit) throw new RateLimitedError(sentence, attempts.endsAt - now());
    return attempts;
  }

  async function counted<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      if (successForgives) attemptsOf(key).failed = 0;
      return result;
    } catch (error) {
      if (isFailure(error)) attemptsOf(key).failed += 1;
      throw error;
    }
  }

  return {
    async attempt(key, work) {
      if (limit === 0) return work();
      let attempts = openAttempts(key);
      while (attempts.failed + attempts.running >= limit) {
        const { waiting } = attempts;
        if (waiting.length >= maxWaiting) throw new RateLimitedError(busySentence, busyMs);
        await new Promise<void>((resolve) => waiting.push(resolve));
        attempts = openAttempts(key);
      }
      attempts.running += 1;
      try {
        return await counted(key, work);
      } finally {
        attempts.running -= 1;
        for (const resume of attempts.waiting.splice(0)) resume();
      }
    },
    async attemptFreely(key, work) {
      if (limit === 0) return work();
      openAttempts(key);
      return counted(key, work);
    },
  };
}
