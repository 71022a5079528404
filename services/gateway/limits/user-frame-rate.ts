import type { FrameAllowance, FrameRate } from './frame-rate.ts';

export type UserFrameRate = {
  /** The allowance that all sessions of a user share. Each session takes it once and leaves it once. */
  join(userId: string): FrameAllowance;
  leave(userId: string): void;
  /** Users that are remembered. */
  size(): number;
};

/** Longer than an allowance takes to be whole again: after it a fresh one is the same. */
const rememberedMs = 60_000;
const maxGone = 100_000;

/**
 * What a user may send over all its sessions here. It outlives the last session for a minute, so that nobody sends more
 * by coming back; of those who are gone a bounded number is remembered, the latest.
 */
export function createUserFrameRate(
  rate: FrameRate,
  options: { now?: () => number; maxGone?: number } = {},
): UserFrameRate {
  const now = options.now ?? performance.now.bind(performance);
  const most = options.maxGone ?? maxGone;
  const here = new Map<string, { allowance: FrameAllowance; sessions: number }>();
  /** In the order in which they went. */
  const gone = new Map<string, { allowance: FrameAllowance; at: number }>();

  function forgetOldest(): void {
    for (const [userId, { at }] of gone) {
      if (gone.size <= most && now() - at < rememberedMs) return;
      gone.delete(userId);
    }
  }

  return {
    join(userId) {
      const known = here.get(userId);
      if (known) {
        known.sessions += 1;
        return known.allowance;
      }
      const allowance = gone.get(userId)?.allowance ?? rate.allowance();
      gone.delete(userId);
      here.set(userId, { allowance, sessions: 1 });
      return allowance;
    },
    leave(userId) {
      const known = here.get(userId);
      if (!known) return;
      known.sessions -= 1;
      if (known.sessions > 0) return;
      here.delete(userId);
      gone.set(userId, { allowance: known.allowance, at: now() });
      forgetOldest();
    },
    size: () => here.size + gone.size,
  };
}
