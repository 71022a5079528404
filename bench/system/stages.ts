import type { System } from './system.ts';

/** One histogram of a service's metrics, for the time between two scrapes. */
export type Stage = {
  service: string;
  metric: string;
  /** `method="…",code="…"`, without `service`. */
  labels: string;
  count: number;
  mean: number;
  p50: number;
  p99: number;
};

/** Counter values by `service metric{labels}`. */
export type Scrape = { histograms: Map<string, RawHistogram>; counters: Map<string, number> };

type RawHistogram = {
  service: string;
  metric: string;
  labels: string;
  sum: number;
  bounds: Map<number, number>;
};

const scrapeDeadlineMs = 5000;

/** Reads the metrics of every service that answers. */
export async function scrape(system: System): Promise<Scrape> {
  const whole: Scrape = { histograms: new Map(), counters: new Map() };
  await Promise.all(
    system.metrics.map(async ({ service, url }) => {
      try {
        const answer = await fetch(url, { signal: AbortSignal.timeout(scrapeDeadlineMs) });
        if (answer.ok) parseMetrics(service, await answer.text(), whole);
      } catch {
        // The report has no stages of a service that is not reachable.
      }
    }),
  );
  return whole;
}

/** The stages between two scrapes: durations first, by falling total; batch sizes after them. */
export function stagesBetween(before: Scrape, after: Scrape): Stage[] {
  return [...after.histograms]
    .map(([key, now]) => difference(now, before.histograms.get(key)))
    .filter((stage) => stage.count > 0)
    .sort((a, b) => Number(isTime(b)) - Number(isTime(a)) || b.count * b.mean - a.count * a.mean);
}

const isTime = ({ metric }: Stage): boolean => metric.endsWith('_seconds');

/** The sum of the increases of all counters whose key starts with `prefix`. */
export function grown(before: Scrape, after: Scrape, prefix: string): number {
  let total = 0;
  for (const [key, value] of after.counters) {
    if (key.startsWith(prefix)) total += value - (before.counters.get(key) ?? 0);
  }
  return total;
}

/** Parses GoChat's histograms and counters from Prometheus text into `into`. */
export function parseMetrics(service: string, text: string, into: Scrape): void {
  for (const line of text.split('\n')) {
    const found = /^(gochat_\w+?)(_bucket|_sum|_count)?(?:\{(.*)\})? ([^ ]+)$/.exec(line);
    if (!found) continue;
    const [, name = '', part, allLabels = '', value = '0'] = found;
    const labels = splitLabels(allLabels);
    const bound = labels.find((label) => label.startsWith('le='))?.slice(4, -1);
    const rest = labels
      .filter((label) => !label.startsWith('le=') && !label.startsWith('service='))
      .join(',');
    if (part === undefined) {
      into.counters.set(`${service} ${name}{${rest}}`, Number(value));
      continue;
    }
    const key = `${service} ${name}{${rest}}`;
    const histogram = into.histograms.get(key) ?? {
      service,
      metric: name,
      labels: rest,
      sum: 0,
      bounds: new Map(),
    };
    into.histograms.set(key, histogram);
    if (part === '_sum') histogram.sum = Number(value);
    if (part === '_bucket' && bound !== undefined) {
      histogram.bounds.set(bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), Number(value));
    }
  }
}

function splitLabels(text: string): string[] {
  return text.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? [];
}

function difference(now: RawHistogram, before: RawHistogram | undefined): Stage {
  const bounds = [...now.bounds]
    .map(([bound, count]): [number, number] => [bound, count - (before?.bounds.get(bound) ?? 0)])
    .sort(([a], [b]) => a - b);
  const count = bounds.at(-1)?.[1] ?? 0;
  const sum = now.sum - (before?.sum ?? 0);
  return {
    service: now.service,
    metric: now.metric,
    labels: now.labels,
    count,
    mean: count === 0 ? 0 : sum / count,
    p50: quantile(bounds, 0.5),
    p99: quantile(bounds, 0.99),
  };
}

/** A quantile, interpolated in its bucket as Prometheus does it; in the last bucket, the bucket's lower bound. */
function quantile(bounds: [number, number][], share: number): number {
  const rank = (bounds.at(-1)?.[1] ?? 0) * share;
  let [lower, below] = [0, 0];
  for (const [upper, count] of bounds) {
    if (count >= rank && count > below) {
      return upper === Number.POSITIVE_INFINITY
        ? lower
        : lower + ((upper - lower) * (rank - below)) / (count - below);
    }
    [lower, below] = [upper, count];
  }
  return lower;
}
