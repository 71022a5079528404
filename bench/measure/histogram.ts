// Room: clocks, histograms and statistics. No I/O may come in.

/** The serialised form of a histogram, for IPC messages and result files. */
export type HistogramData = {
  count: number;
  /** The sum of all values, microseconds. */
  sum: number;
  /** The largest value, exact, microseconds. */
  max: number;
  /** [bucket, count] of the buckets that are not empty, ascending. */
  buckets: [number, number][];
};

export type Histogram = {
  /** Counts a value in microseconds; anything below 0 counts as 0. */
  record(micros: number): void;
  /** Adds the values of another histogram. */
  add(other: HistogramData): void;
  count(): number;
  /** The value in microseconds that `share` (0 to 1) of all values do not exceed, at most 0.8 % too high. */
  percentile(share: number): number;
  data(): HistogramData;
};

const subBucketBits = 7;
const subBuckets = 1 << subBucketBits;
/** About 36 minutes. Larger values are counted as this value. */
const maxMicros = 2 ** 31 - 1;
const bucketCount = bucketOf(maxMicros) + 1;

/**
 * A histogram with log-linear buckets, 128 per doubling: memory and time do not depend on the number of values, and
 * no percentile is wrong by more than 1/128.
 */
export function createHistogram(data?: HistogramData): Histogram {
  const counts = new Float64Array(bucketCount);
  let count = 0;
  let sum = 0;
  let max = 0;

  const histogram: Histogram = {
    record(micros) {
      const value = micros < 0 ? 0 : micros > maxMicros ? maxMicros : Math.round(micros);
      const bucket = bucketOf(value);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      count += 1;
      sum += value;
      if (value > max) max = value;
    },
    add(other) {
      for (const [bucket, times] of other.buckets) counts[bucket] = (counts[bucket] ?? 0) + times;
      count += other.count;
      sum += other.sum;
      max = Math.max(max, other.max);
    },
    count: () => count,
    percentile(share) {
      const rank = Math.max(1, Math.ceil(count * share));
      let seen = 0;
      for (let bucket = 0; bucket < bucketCount; bucket += 1) {
        seen += counts[bucket] ?? 0;
        if (seen >= rank) return Math.min(upperEdge(bucket), max);
      }
      return max;
    },
    data: () => ({
      count,
      sum,
      max,
      buckets: Array.from(counts, (times, bucket): [number, number] => [bucket, times]).filter(
        ([, times]) => times > 0,
      ),
    }),
  };
  if (data) histogram.add(data);
  return histogram;
}

/** Merges several histograms into one. */
export function mergeHistograms(parts: readonly HistogramData[]): HistogramData {
  const whole = createHistogram();
  for (const part of parts) whole.add(part);
  return whole.data();
}

/** Each value below 256 has its own bucket; above, the values with the same first eight bits share a bucket. */
function bucketOf(value: number): number {
  const shift = Math.max(0, 31 - Math.clz32(value) - subBucketBits);
  return shift * subBuckets + (value >> shift);
}

function upperEdge(bucket: number): number {
  const shift = Math.max(0, (bucket >> subBucketBits) - 1);
  return (bucket - shift * subBuckets + 1) * 2 ** shift - 1;
}
