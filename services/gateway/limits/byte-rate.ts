/**
 * Token bucket of a session: the bytes that it may still send, below 0 while the session is in debt. `at` is the time of
 * the last refill, in ms; the bucket is refilled only when bytes arrive.
 */
export type ByteAllowance = { bytes: number; at: number };

export type ByteVerdict = 'pass' | 'refuse' | 'close' | 'cut';

export type ByteRate = {
  allowance(): ByteAllowance;
  /**
   * Counts received bytes. `refuse`: their frame is refused. `close`: the session kept sending although it was refused,
   * and must be closed. `cut`: the session kept sending even after that, and its connection must be cut.
   */
  take(allowance: ByteAllowance, bytes: number): ByteVerdict;
  /** True while the session is in debt: it sent more than it may. */
  isOver(allowance: ByteAllowance): boolean;
};

/** Size of a burst, in seconds of the rate. */
const burstSeconds = 4;
/** A session with a larger debt is closed, in seconds of the rate. */
const closeDebtSeconds = 1;
/** A closed session with a larger debt is cut off, in seconds of the rate. Until then its close frame is awaited. */
const cutDebtSeconds = 8;

/** Limits a session to `perSecond` bytes per second, with bursts of four times as many. 0 switches the limit off. */
export function createByteRate(
  perSecond: number,
  now: () => number = performance.now.bind(performance),
): ByteRate {
  const burst = perSecond * burstSeconds;
  return {
    allowance: () => ({ bytes: burst, at: now() }),
    take(allowance, bytes) {
      if (perSecond === 0) return 'pass';
      const refill = ((now() - allowance.at) / 1000) * perSecond;
      allowance.at = now();
      // Refused bytes count as debt, too: a session that goes on above the rate stays refused.
      allowance.bytes = Math.min(burst, allowance.bytes + refill) - bytes;
      if (allowance.bytes >= 0) return 'pass';
      if (allowance.bytes >= -closeDebtSeconds * perSecond) return 'refuse';
      return allowance.bytes >= -cutDebtSeconds * perSecond ? 'close' : 'cut';
    },
    isOver: (allowance) => allowance.bytes < 0,
  };
}
