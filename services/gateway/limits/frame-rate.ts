/**
 * Token bucket of a session: the frames that it may still send, and the frames that may still be refused (`patience`)
 * before the session is closed. `at` is the time of the last refill, in ms; it is refilled only when a frame arrives.
 */
export type FrameAllowance = { tokens: number; patience: number; at: number };

export type FrameVerdict = 'pass' | 'refuse' | 'close';

export type FrameRate = {
  allowance(): FrameAllowance;
  /** Counts a frame. `refuse`: answer RATE_LIMITED. `close`: too many frames were refused, close the session. */
  judge(allowance: FrameAllowance): FrameVerdict;
};

/** Size of a burst, in seconds of the rate. */
const burstSeconds = 4;
/** Refused frames after which the session is closed, in seconds of the rate. */
const patienceSeconds = 20;

/** Limits a session to `perSecond` frames per second, with bursts of four times as many. 0 switches the limit off. */
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
