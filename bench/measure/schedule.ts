export type Schedule = {
  /** The next moment at which something is due, in the unit of `startsAt`; undefined after the last. */
  due(): number | undefined;
  /** Passes on to the one after it. */
  advance(): void;
};

/**
 * When things are due in an open loop: at a rate, whatever became of those before. The gaps are exponential, as of
 * many people who do not know of each other; the same seed gives the same moments.
 */
export function createSchedule(options: {
  /** A second. */
  rate: number;
  seconds: number;
  /** Monotonic microseconds. */
  startsAt: number;
  seed: number;
}): Schedule {
  const endsAt = options.startsAt + options.seconds * 1e6;
  const meanGap = 1e6 / options.rate;
  const random = createRandom(options.seed);
  const gap = () => -Math.log(1 - random()) * meanGap;
  let due = options.startsAt + gap();

  return {
    due: () => (due < endsAt ? due : undefined),
    advance: () => {
      due += gap();
    },
  };
}

/** One schedule after the other. */
export function chainSchedules(all: readonly Schedule[]): Schedule {
  let current = 0;
  const due = () => {
    while (current < all.length) {
      const next = all[current]?.due();
      if (next !== undefined) return next;
      current += 1;
    }
    return undefined;
  };
  return {
    due,
    advance() {
      if (due() !== undefined) all[current]?.advance();
    },
  };
}

/** Numbers from 0 to below 1 (mulberry32): the same ones for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
