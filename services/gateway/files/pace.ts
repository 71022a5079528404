import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when so many more bytes may move. */
export type Pace = (bytes: number) => Promise<void>;

/** Pauses shorter than this are made up for later, because a timer costs more than it brings. */
const shortestMs = 5;

/**
 * Bounds how many bytes all callers move per second. They take turns in the order in which they ask, so none of them is
 * held up by the others for long.
 */
export function createPace(bytesPerSecond: number): Pace {
  let freeAt = 0;
  return async (bytes) => {
    const now = performance.now();
    freeAt = Math.max(freeAt, now) + (bytes / bytesPerSecond) * 1000;
    const waitMs = freeAt - now;
    if (waitMs > shortestMs) await sleep(waitMs);
  };
}
