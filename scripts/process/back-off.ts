const firstDelayMs = 250;
const maxDelayMs = 10_000;
const provenAliveMs = 30_000;

export interface BackOff {
  /** Milliseconds to wait before the next start of a process that lived for `aliveMs`. */
  next(aliveMs: number): number;
}

/** Delays that double from 250 ms to 10 s; after a process has lived for 30 s they start at 250 ms again. */
export function createBackOff(): BackOff {
  let failures = 0;
  return {
    next(aliveMs) {
      if (aliveMs >= provenAliveMs) failures = 0;
      const delay = Math.min(firstDelayMs * 2 ** failures, maxDelayMs);
      failures += 1;
      return delay;
    },
  };
}
