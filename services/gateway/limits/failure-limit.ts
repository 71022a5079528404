import { RateLimitedError } from './rate-limit.ts';

export type FailureLimit = {
  /**
   * Does something for a key that may fail so many times in a window, and refuses it with RATE_LIMITED once it has.
   * What is under way counts as if it failed: the rest waits until it is known. So guesses sent at once are not more
   * than others, and whoever is right at many places at once is let in. Where too many wait, another is told to try
   * again soon.
   */
  attempt<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** The same for work that costs little and can't be guessed: only what has failed counts, and nobody waits. */
  attemptFreely<T>(key: string, work: () => Promise<T>): Promise<T>;
};

type Attempts = { endsAt: number; failed: number; running: number; waiting: (() => void)[] };

const maxKeys = 100_000;
/** Those that wait for what is under way; further ones are refused, and may try again after `busyMs`. */
const maxWaiting = 50;
const busyMs = 1000;

export function createFailureLimit(options: {
  /** 0 switches it off. */
  limit: number;
  windowMs: number;
  isFailure: (error: unknown) => boolean;
  /** A success makes up for the failures before it. */
  successForgives: boolean;
  /** What is read by whoever is refused after too many failures. */
  sentence: string;
  /** What is read by whoever is refused because too many are under way. */
  busySentence: string;
  now?: () => number;
}): FailureLimit {
  const { limit, windowMs, isFailure, successForgives, sentence, busySentence } = options;
  const now = options.now ?? Date.now;
  const all = new Map<string, Attempts>();

  function attemptsOf(key: string): Attempts {
    const known = all.get(key);
    if (known && known.endsAt > now()) return known;
    // Set anew, so that the map's order stays that of the windows' ends.
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

  /** What the key may still do in its window; refuses it where that is nothing. */
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
