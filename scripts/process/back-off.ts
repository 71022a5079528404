const firstDelayMs = 250;
const longestDelayMs = 10_000;
const provenAliveMs = 30_000;

export interface BackOff {
  /** Milliseconds to wait before the next start of a process that lived for `aliveMs`. */
  next(aliveMs: number): number;
}

/** Doubling delays from 250 ms to 10 s; a process that lived for 30 s starts at the beginning again. */
export function createBackOff(): BackOff {
  let failures = 0;
  return {
    next(aliveMs) {
      if (aliveMs >= provenAliveMs) failures = 0;
      const delay = Math.min(firstDelayMs * 2 ** failures, longestDelayMs);
      failures += 1;
      return delay;
    },
  };
}
