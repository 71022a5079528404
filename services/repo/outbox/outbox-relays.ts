import type { KafkaConnection } from '../../../lib/kafka/kafka.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { Database } from '../storage/database.ts';
import { createOutboxBacklog } from './outbox-backlog.ts';
import { type OutboxRelay, startOutboxRelay } from './outbox-relay.ts';

/** Relays the outbox of each database. Events of one entity come from one database, so that their order is kept. */
export function startOutboxRelays(deps: {
  databases: readonly Database[];
  kafka: KafkaConnection;
  log: Logger;
  metrics: Metrics;
}): OutboxRelay {
  const { databases, ...rest } = deps;
  const backlog = createOutboxBacklog(deps.metrics);
  const relays = databases.map((database) => startOutboxRelay({ ...rest, database, backlog }));
  return {
    wake() {
      for (const relay of relays) relay.wake();
    },
    ready: async () => (await Promise.all(relays.map((relay) => relay.ready()))).every((isReady) => isReady),
    async stop() {
      await Promise.all(relays.map((relay) => relay.stop()));
    },
  };
}
