/** What pairs of measurements say: how many times the one the other is. */
export type Paired = {
  median: number;
  /** The median of all pairs that could be measured is at least this, with 95 % confidence. */
  atLeast: number;
};

const risk = 0.05;

/**
 * The median of the pairs' ratios and its lower bound. The bound is one of the ratios: that fewer than so many of n fall
 * below the true median is as likely as so few heads in n throws of a coin, whatever the ratios are distributed like.
 */
export function paired(ratios: readonly number[]): Paired {
  const sorted = ratios.toSorted((a, b) => a - b);
  let below = 0;
  for (let sum = 0.5 ** sorted.length; below < sorted.length; below += 1) {
    sum += choose(sorted.length, below + 1) * 0.5 ** sorted.length;
    if (sum > risk) break;
  }
  const middle = (sorted.length - 1) / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return { median: (low + high) / 2, atLeast: 0.5 ** sorted.length > risk ? 0 : (sorted[below] ?? 0) };
}

function choose(n: number, k: number): number {
  let ways = 1;
  for (let one = 1; one <= k; one += 1) ways = (ways * (n - one + 1)) / one;
  return ways;
}
