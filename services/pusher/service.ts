// Room: im-pusher: it consumes domain events from Kafka and pushes them to the users concerned through the gateways.
// Messages do not take this path, and im-pusher stores nothing.

import { serveAdmin } from '../../lib/admin.ts';
import { connectRepo } from '../../lib/grpc/clients.ts';
import type { GrpcChannel } from '../../lib/grpc/definition.ts';
import { readGrpcToken } from '../../lib/grpc/token.ts';
import { connectKafka, withAdmin } from '../../lib/kafka/kafka.ts';
import { type Subscription, subscribe } from '../../lib/kafka/subscription.ts';
import { ensureSharedTopics, topics } from '../../lib/kafka/topics.ts';
import { keepTrying } from '../../lib/keep-trying.ts';
import type { Logger } from '../../lib/log.ts';
import { createMetrics } from '../../lib/metrics.ts';
import type { Running } from '../../lib/service.ts';
import type { PusherConfig } from './config.ts';
import { createEventHandler } from './events.ts';
import { createGateways } from './gateways.ts';

/** Starts the consumer of domain events. Resolves before its dependencies are up; it retries until they are. */
export async function startPusher(
  config: PusherConfig,
  log: Logger,
  /** im-repo, if it runs in the same process. */
  place: { repo?: GrpcChannel } = {},
): Promise<Running> {
  const metrics = createMetrics('pusher');
  const stopping = new AbortController();
  const token = readGrpcToken(config.GRPC_TOKEN_FILE);
  const repo = connectRepo(place.repo ?? config.REPO_ADDRESS, token);
  const kafka = connectKafka({ brokers: config.KAFKA_BROKERS, clientId: config.PUSHER_ID, log });
  const producer = kafka.producer();
  const gateways = createGateways({ repo, token, log });

  let subscription: Subscription | undefined;
  const subscribed = keepTrying(
    'consume events',
    async () => {
      await producer.connect();
      await withAdmin(kafka, ensureSharedTopics);
      subscription = await subscribe(kafka, {
        groupId: 'gochat-pusher',
        topics: [topics.friendEvents, topics.conversationEvents, topics.messageEvents, topics.userEvents],
        producer,
        handle: createEventHandler({ repo, gateways, metrics }),
        log,
        metrics,
      });
    },
    { log, signal: stopping.signal },
  ).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });

  const admin = await serveAdmin({
    host: config.BIND_HOST,
    port: config.METRICS_PORT,
    metrics,
    dependencies: { kafka: () => subscription !== undefined, repo: repo.ready },
  });

  return {
    async stop() {
      admin.drain();
      stopping.abort();
      await subscribed;
      await subscription?.stop();
      await producer.disconnect();
      gateways.close();
      repo.close();
      await admin.close();
    },
  };
}
