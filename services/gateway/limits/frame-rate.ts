/** What a session may still send: refilled with time, computed only when a frame comes. */
export type FrameAllowance = { tokens: number; patience: number; at: number };

export type FrameVerdict = 'pass' | 'refuse' | 'close';

export type FrameRate = {
  allowance(): FrameAllowance;
  /** Whether the session's next frame passes, is refused with RATE_LIMITED, or was one refusal too many. */
  judge(allowance: FrameAllowance): FrameVerdict;
};

/** Seconds' worth of frames that may come at once. */
const burstSeconds = 4;
/** Seconds' worth of refused frames after which patience ends. */
const patienceSeconds = 20;

/** So many frames a second and session, with four times as many at once; 0 switches it off. */
export function createFrameRate(
  perSecond: number,
  now: () => number = performance.now.bind(performance),
): FrameRate {
  const burst = perSecond * burstSeconds;
  const patience = perSecond * patienceSeconds;
  return {
    allowance: () => ({ tokens: burst, patience, at: now() }),
    judge(allowance) {
      if (perSecond === 0) return 'pass';
      const refill = ((now() - allowance.at) / 1000) * perSecond;
      allowance.at = now();
      allowance.tokens = Math.min(burst, allowance.tokens + refill);
      allowance.patience = Math.min(patience, allowance.patience + refill);
      if (allowance.tokens >= 1) {
        allowance.tokens -= 1;
        return 'pass';
      }
      allowance.patience -= 1;
      return allowance.patience < 0 ? 'close' : 'refuse';
    },
  };
}
