export type Schedule = {
  /** The next due time, in the unit of `startsAt`; undefined after the last. */
  due(): number | undefined;
  /** Moves to the next due time. */
  advance(): void;
};

/**
 * The due times of an open loop: they follow a rate, independent of the outcome of earlier sends. The gaps are
 * exponential, as for many independent users; the same seed gives the same due times.
 */
export function createSchedule(options: {
  /** Due times per second. */
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

/** Runs schedules one after the other. */
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

/** Pseudo-random numbers in [0, 1) (mulberry32); the same seed gives the same numbers. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
