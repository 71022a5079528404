/** What a session may still send, in bytes; below 0 while it owes. Refilled with time, computed only when bytes come. */
export type ByteAllowance = { bytes: number; at: number };

export type ByteVerdict = 'pass' | 'refuse' | 'close' | 'cut';

export type ByteRate = {
  allowance(): ByteAllowance;
  /**
   * Counts bytes that came. `refuse`: what they belong to is not taken. `close`: they kept coming although they were
   * refused. `cut`: and even after that.
   */
  take(allowance: ByteAllowance, bytes: number): ByteVerdict;
  /** Whether more came lately than the session may send. */
  isOver(allowance: ByteAllowance): boolean;
};

/** Seconds' worth of bytes that may come at once. */
const burstSeconds = 4;
/** Seconds' worth of refused bytes after which patience ends. */
const patienceSeconds = 1;
/** Seconds' worth of bytes for which a closed session's last words are waited for. */
const cutSeconds = 8;

/** So many bytes per second and session, with four times as many at once; 0 switches it off. */
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
      // What is refused is owed too: whoever goes on above the rate is never taken again.
      allowance.bytes = Math.min(burst, allowance.bytes + refill) - bytes;
      if (allowance.bytes >= 0) return 'pass';
      if (allowance.bytes >= -patienceSeconds * perSecond) return 'refuse';
      return allowance.bytes >= -cutSeconds * perSecond ? 'close' : 'cut';
    },
    isOver: (allowance) => allowance.bytes < 0,
  };
}
