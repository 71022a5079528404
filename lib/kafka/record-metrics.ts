import type { Metrics } from '../metrics.ts';

/** Counts records by result. Records with the result `dead` are in gochat.messages.dead. */
export const countRecords = (metrics: Metrics) =>
  metrics.counter('gochat_consumer_records_total', 'Records consumed, by result.', ['topic', 'result']);

/**
 * Returns a function to call with the oldest record of each fetch. It measures how long the record was on its way, from
 * the produce call to here: to the broker, onto its disk, and out of it. Both clocks count whole milliseconds.
 */
export function measureTransit(metrics: Metrics, topic: string): (record: { timestamp: string }) => void {
  const transit = metrics
    .latency('gochat_record_transit_seconds', 'Time from the produce of a record to its consumer.', ['topic'])
    .labels({ topic });
  return ({ timestamp }) => transit.observe(Math.max(Date.now() - Number(timestamp), 0) / 1000);
}

export type RecordsInProgress = {
  /** Must be called when records of the topic are about to be processed, and its result when they are done. */
  begin(topic: string): () => void;
};

/**
 * Measures for each topic how long its oldest records in progress have been processed. The value grows while records
 * fail and are retried, and while a handler hangs. The lag does not show either of them if the records are few.
 */
export function watchInProgress(metrics: Metrics, topics: readonly string[]): RecordsInProgress {
  const since = new Map(topics.map((topic) => [topic, new Set<{ at: number }>()]));
  const ageOf = (starts: Set<{ at: number }>): number =>
    starts.size === 0 ? 0 : (performance.now() - Math.min(...Array.from(starts, ({ at }) => at))) / 1000;

  metrics.observedBy(
    'gochat_consumer_stuck_seconds',
    'How long the oldest records in progress have been processed.',
    'topic',
    () => Array.from(since, ([topic, starts]) => [topic, ageOf(starts)]),
  );
  return {
    begin(topic) {
      const started = { at: performance.now() };
      const inProgress = since.get(topic);
      inProgress?.add(started);
      return () => void inProgress?.delete(started);
    },
  };
}
