import type { Code } from '../../../lib/errors.ts';
import { countRecords, watchInHand } from '../../../lib/kafka/record-metrics.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { Outcome } from './save.ts';

/** Codes that refuse a message: shown from the start, so that a first error is an increase. */
const refusals: Code[] = [
  'INVALID_ARGUMENT',
  'NOT_CONVERSATION_MEMBER',
  'NOT_FRIENDS',
  'BLOCKED',
  'MEMBER_MUTED',
  'CONVERSATION_NOT_FOUND',
  'MESSAGE_TOO_LARGE',
  'INTERNAL_ERROR',
];

export type UpstreamMetrics = ReturnType<typeof createUpstreamMetrics>;

export function createUpstreamMetrics(metrics: Metrics, depth: () => number, topic: string) {
  const sent = metrics.counter(
    'gochat_message_send_total',
    'Messages processed, those that failed included.',
  );
  const failures = metrics.counter('gochat_message_send_failures_total', 'Messages that ended in an error.');
  const errors = metrics.counter('gochat_message_send_errors_total', 'Messages that ended in an error.', [
    'code',
  ]);
  const latency = metrics.latency(
    'gochat_fanout_latency_seconds',
    'From the gateway that received a message to the topics of the gateways that deliver it.',
    ['path'],
  );
  for (const code of refusals) errors.inc({ code }, 0);
  latency.zero({ path: 'direct' });
  const dead = countRecords(metrics).labels({ topic, result: 'dead' });
  dead.inc(0);
  const inHand = watchInHand(metrics, [topic]);
  const direct = latency.labels({ path: 'direct' });
  metrics.observed('gochat_upstream_queue_depth', 'Records fetched and not yet being saved.', depth);

  function fail(code: Code): void {
    failures.inc();
    errors.inc({ code });
  }

  return {
    wait: metrics.latency('gochat_upstream_wait_seconds', 'How long the oldest record of a save was queued.'),
    save: metrics.latency('gochat_save_duration_seconds', 'Time of one save, retries included.'),
    batch: metrics.size('gochat_save_batch_size', 'Records in one save.'),
    produce: metrics.latency('gochat_downstream_produce_seconds', 'Time of one downstream produce.'),
    records: metrics.size('gochat_downstream_batch_records', 'Records in one downstream produce.'),
    commits: metrics.counter('gochat_upstream_commits_total', 'Commits of upstream offsets.', ['result']),
    lag: metrics.gauge('gochat_consumer_lag_records', 'Records behind the end of a partition.', [
      'topic',
      'partition',
    ]),
    /** A batch is taken up; the answer is called when it is delivered. */
    takeUp: () => inHand.take(topic),
    delivered(receivedAt: readonly number[]): void {
      const now = Date.now();
      for (const then of receivedAt) direct.observe(Math.max(now - then, 0) / 1000);
    },
    /** Counts messages at their end. Those whose senders were told of a failure were counted then. */
    ended(outcomes: readonly Outcome[]): void {
      for (const outcome of outcomes) {
        if (outcome.kind === 'dead') dead.inc();
        if (outcome.kind === 'event' || outcome.item.told) continue;
        if (outcome.kind === 'dead' && !outcome.message) continue;
        sent.inc();
        if (outcome.kind === 'refused') fail(outcome.code);
        if (outcome.kind === 'dead') fail('INTERNAL_ERROR');
      }
    },
    told(): void {
      sent.inc();
      fail('INTERNAL_ERROR');
    },
  };
}
