import type { Code } from '../../../lib/errors.ts';
import { countRecords, measureTransit, watchInProgress } from '../../../lib/kafka/record-metrics.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { Done } from './save.ts';

/** The codes with which a message may be refused. Their series start at 0, so that a first error is an increase. */
const refusals: Code[] = [
  'INVALID_ARGUMENT',
  'NOT_CONVERSATION_MEMBER',
  'NOT_FRIENDS',
  'BLOCKED',
  'MEMBER_MUTED',
  'CONVERSATION_NOT_FOUND',
  'MESSAGE_TOO_LARGE',
  'INTERNAL_ERROR',
  'UNAVAILABLE',
];

export type UpstreamMetrics = ReturnType<typeof createUpstreamMetrics>;

export function createUpstreamMetrics(metrics: Metrics, depth: () => number, topic: string) {
  const sent = metrics.counter(
    'gochat_message_send_total',
    'Messages processed, including those that failed.',
  );
  const failures = metrics.counter('gochat_message_send_failures_total', 'Messages that ended in an error.');
  const errors = metrics.counter('gochat_message_send_errors_total', 'Messages that ended in an error.', [
    'code',
  ]);
  const latency = metrics.latency(
    'gochat_fanout_latency_seconds',
    'Time from the receipt of a message at a gateway to its produce for the gateways that deliver it.',
    ['path'],
  );
  for (const code of refusals) errors.inc({ code }, 0);
  latency.zero({ path: 'direct' });
  const dead = countRecords(metrics).labels({ topic, result: 'dead' });
  dead.inc(0);
  const inProgress = watchInProgress(metrics, [topic]);
  const direct = latency.labels({ path: 'direct' });
  metrics.observed('gochat_upstream_queue_depth', 'Records fetched that wait to be saved.', depth);

  function fail(code: Code): void {
    failures.inc();
    errors.inc({ code });
  }

  return {
    transit: measureTransit(metrics, topic),
    wait: metrics.latency(
      'gochat_upstream_wait_seconds',
      'Time that the oldest record of a save was queued.',
    ),
    save: metrics.latency('gochat_save_duration_seconds', 'Time of one save, retries included.'),
    batch: metrics.size('gochat_save_batch_size', 'Records in one save.'),
    downstreamWait: metrics.latency(
      'gochat_downstream_wait_seconds',
      'Time from a save to the produce of its records: finding recipients, and the produces before it.',
    ),
    produce: metrics.latency('gochat_downstream_produce_seconds', 'Time of one downstream produce.'),
    records: metrics.size('gochat_downstream_batch_records', 'Records in one downstream produce.'),
    waiting: metrics.gauge(
      'gochat_upstream_waiting_records',
      'Records that wait for a database that does not answer, while others go on.',
    ),
    commits: metrics.counter('gochat_upstream_commits_total', 'Commits of upstream offsets.', ['result']),
    earlyAcks: metrics.counter(
      'gochat_early_acks_total',
      'Calls that acknowledge sends before their downstream record.',
      ['result'],
    ),
    lag: metrics.gauge('gochat_consumer_lag_records', 'Records behind the end of a partition.', [
      'topic',
      'partition',
    ]),
    /** Must be called when a batch is begun, and its result when the batch is delivered. */
    batchBegun: () => inProgress.begin(topic),
    delivered(receivedAt: readonly number[]): void {
      const now = Date.now();
      for (const then of receivedAt) direct.observe(Math.max(now - then, 0) / 1000);
    },
    /** Counts messages that are done. A message whose sender was notified of a failure was counted at that time. */
    ended(outcomes: readonly Done[]): void {
      for (const outcome of outcomes) {
        if (outcome.kind === 'dead') dead.inc();
        if (outcome.kind === 'event' || outcome.item.notified) continue;
        if (outcome.kind === 'dead' && !outcome.message) continue;
        sent.inc();
        if (outcome.kind === 'refused') fail(outcome.code);
        if (outcome.kind === 'dead') fail('INTERNAL_ERROR');
      }
    },
    /** Counts a message whose sender is notified that it failed. */
    notified(): void {
      sent.inc();
      fail('INTERNAL_ERROR');
    },
  };
}
