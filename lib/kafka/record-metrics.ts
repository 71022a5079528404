import type { Metrics } from '../metrics.ts';

/** Records by what became of them. Those that are `dead` lie in gochat.messages.dead. */
export const countRecords = (metrics: Metrics) =>
  metrics.counter('gochat_consumer_records_total', 'Records by what became of them.', ['topic', 'result']);

export type InHand = {
  /** Tells that records of the topic are taken up; its answer is called when they are done with. */
  take(topic: string): () => void;
};

/**
 * How long the records in hand have been there, the oldest of each topic. It grows while they fail and are tried again,
 * and also while whoever handles them does not answer, however few they are: the lag would not tell.
 */
export function watchInHand(metrics: Metrics, topics: readonly string[]): InHand {
  const since = new Map(topics.map((topic) => [topic, new Set<{ at: number }>()]));
  const ageOf = (taken: Set<{ at: number }>): number =>
    taken.size === 0 ? 0 : (performance.now() - Math.min(...Array.from(taken, ({ at }) => at))) / 1000;

  metrics.observedBy(
    'gochat_consumer_stuck_seconds',
    'How long the oldest records in hand have been there.',
    'topic',
    () => Array.from(since, ([topic, taken]) => [topic, ageOf(taken)]),
  );
  return {
    take(topic) {
      const one = { at: performance.now() };
      const taken = since.get(topic);
      taken?.add(one);
      return () => void taken?.delete(one);
    },
  };
}
