import type { Metrics } from '../../../lib/metrics.ts';

const windowMs = 300_000;
const stepMs = 15_000;

export type HitRatio = { count(cache: string, hits: number, misses: number): void };

/** Counts the hits and misses of each cache and exports the hit ratio of the last five minutes. */
export function createHitRatio(metrics: Metrics): HitRatio {
  const hitCounter = metrics.counter('gochat_cache_hits_total', 'Values found in the cache.', ['cache']);
  const missCounter = metrics.counter('gochat_cache_misses_total', 'Values not found in the cache.', [
    'cache',
  ]);
  const ratio = metrics.gauge(
    'gochat_cache_hit_ratio',
    'Share of hits in the last five minutes; 1 without lookups.',
    ['cache'],
  );
  const totals = new Map<string, { hits: number; misses: number }>();
  const past: Map<string, { hits: number; misses: number }>[] = [];

  setInterval(() => {
    past.push(new Map([...totals].map(([cache, total]) => [cache, { ...total }])));
    if (past.length > windowMs / stepMs) past.shift();
    for (const [cache, total] of totals) {
      const before = past[0]?.get(cache) ?? { hits: 0, misses: 0 };
      const hits = total.hits - before.hits;
      const lookups = hits + total.misses - before.misses;
      ratio.set({ cache }, lookups === 0 ? 1 : hits / lookups);
    }
  }, stepMs).unref();

  return {
    count(cache, hits, misses) {
      let total = totals.get(cache);
      if (!total) {
        total = { hits: 0, misses: 0 };
        totals.set(cache, total);
        ratio.set({ cache }, 1);
      }
      total.hits += hits;
      total.misses += misses;
      if (hits > 0) hitCounter.inc({ cache }, hits);
      if (misses > 0) missCounter.inc({ cache }, misses);
    },
  };
}
