import type { Metrics } from '../../../lib/metrics.ts';

/** What waits in one outbox. Times are in Unix milliseconds; 0 if nothing waits. */
type Waiting = { oldestAt: number; pending: number };

export type OutboxBacklog = {
  /** Adds an outbox. Its relay keeps the returned values up to date. */
  add(): Waiting;
};

/** The metrics of what waits in all outboxes that this process relays. */
export function createOutboxBacklog(metrics: Metrics): OutboxBacklog {
  const all: Waiting[] = [];
  const oldestAt = (): number => Math.min(...all.map((one) => one.oldestAt).filter((at) => at > 0));
  metrics.observed('gochat_outbox_age_seconds', 'Age of the oldest event not yet in Kafka.', () =>
    Number.isFinite(oldestAt()) ? Math.max(0, Date.now() - oldestAt()) / 1000 : 0,
  );
  metrics.observed('gochat_outbox_pending', 'Events not yet in Kafka.', () =>
    all.reduce((sum, { pending }) => sum + pending, 0),
  );
  return {
    add() {
      const waiting = { oldestAt: 0, pending: 0 };
      all.push(waiting);
      return waiting;
    },
  };
}
