import type { FrameAllowance, FrameRate } from './frame-rate.ts';

export type UserFrameRate = {
  /** Returns the allowance that all sessions of a user share. Each session calls `join` once and `leave` once. */
  join(userId: string): FrameAllowance;
  leave(userId: string): void;
  /** Number of users whose allowance is kept. */
  size(): number;
};

/** Longer than an allowance takes to refill: after this time, a new one is the same. */
const rememberedMs = 60_000;
const defaultMaxGone = 100_000;

/**
 * Keeps the allowance of each user for all the user's sessions on this gateway. It is kept for a minute after the last
 * session has closed, so that a reconnect does not refill it. At most `maxGone` users without a session are kept, the
 * latest ones.
 */
export function createUserFrameRate(
  rate: FrameRate,
  options: { now?: () => number; maxGone?: number } = {},
): UserFrameRate {
  const now = options.now ?? performance.now.bind(performance);
  const maxGone = options.maxGone ?? defaultMaxGone;
  const here = new Map<string, { allowance: FrameAllowance; sessions: number }>();
  /** Users without a session, in the order in which their last session closed. */
  const gone = new Map<string, { allowance: FrameAllowance; at: number }>();

  function forgetOldest(): void {
    for (const [userId, { at }] of gone) {
      if (gone.size <= maxGone && now() - at < rememberedMs) return;
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
