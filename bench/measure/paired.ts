/** The ratio of paired measurements. */
export type Paired = {
  median: number;
  /** The lower bound of the true median, with 95 % confidence. */
  atLeast: number;
};

const risk = 0.05;

/**
 * The median of the ratios and its lower bound. The bound is one of the ratios, by the sign test: the number of
 * ratios below the true median has the distribution of heads in n throws of a coin, whatever the distribution of the
 * ratios is.
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
