// Room: im-task: the Temporal workers, and the Kafka consumers that start flows. The flows and activities themselves
// are in workflows/ and activities/.

import { createLiveConversations } from '../../activities/fanout-messages/live-conversations.ts';
import { createActivities } from '../../activities/index.ts';
import { serveAdmin } from '../../lib/admin.ts';
import { connectRepo } from '../../lib/grpc/clients.ts';
import { readGrpcToken } from '../../lib/grpc/token.ts';
import { createDownstreamProducer } from '../../lib/kafka/downstream-producer.ts';
import { createGroupCommit } from '../../lib/kafka/group-commit.ts';
import { connectKafka, withAdmin } from '../../lib/kafka/kafka.ts';
import { type SubscribeOptions, type Subscription, subscribe } from '../../lib/kafka/subscription.ts';
import { ensureSharedTopics, topicPartitions, topics } from '../../lib/kafka/topics.ts';
import { keepTrying } from '../../lib/keep-trying.ts';
import type { Logger } from '../../lib/log.ts';
import { createMetrics } from '../../lib/metrics.ts';
import type { Running } from '../../lib/service.ts';
import type { TaskConfig } from './config.ts';
import { createDeliveries } from './consumers/deliveries.ts';
import { createDisconnectConsumer } from './consumers/disconnect-consumer.ts';
import { createFanoutConsumer } from './consumers/fanout-consumer.ts';
import { pollHeads } from './consumers/head-poll.ts';
import { createIndexConsumer, indexFetching } from './consumers/index-consumer.ts';
import { installRuntime, runWorkers } from './temporal/temporal.ts';
import { workflowBundle } from './temporal/workflow-bundle.ts';

/** Maximum number of records that wait to be produced. Beyond it, activities get UNAVAILABLE and retry. */
const maxPendingRecords = 20_000;

/**
 * Starts the Temporal workers and the consumers that feed their flows. Resolves before its dependencies are up; workers
 * and consumers retry until they are.
 */
export async function startTask(config: TaskConfig, log: Logger): Promise<Running & { adminPort: number }> {
  const metrics = createMetrics('task');
  const stopping = new AbortController();
  const trying = { log, signal: stopping.signal };
  const repo = connectRepo(config.REPO_ADDRESS, readGrpcToken(config.GRPC_TOKEN_FILE));
  const kafka = connectKafka({ brokers: config.KAFKA_BROKERS, clientId: config.TASK_ID, log });
  /** Produces dead records. */
  const producer = kafka.producer();
  const downstream = createDownstreamProducer({ kafka, log });
  const commit = createGroupCommit(createDeliveries({ downstream, log }), { maxPending: maxPendingRecords });
  const live = createLiveConversations();
  metrics.observed(
    'gochat_fanout_live_conversations',
    'Conversations with a fan-out activity in this process.',
    live.size,
  );
  metrics.observed('gochat_fanout_pending_records', 'Delivery records not yet acknowledged.', commit.depth);

  installRuntime(log);
  const activities = createActivities({
    repo,
    produce: commit.send,
    live,
    metrics,
    friendRequestTtlMs: config.FRIEND_REQUEST_TTL_MS,
    friendRequestCooldownMs: config.FRIEND_REQUEST_COOLDOWN_MS,
  });
  const workers = runWorkers({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    taskId: config.TASK_ID,
    activities,
    workflowBundle: await workflowBundle(config.WORKFLOW_BUNDLE_FILE),
    log,
  });
  const polling = pollHeads({ repo, live, log });

  const subscriptions: Subscription[] = [];
  const consume = (
    what: string,
    options: Pick<
      SubscribeOptions,
      'groupId' | 'topics' | 'handle' | 'partitionsAtOnce' | 'recordsAtOnce' | 'gatherMs'
    >,
  ) =>
    keepTrying(
      `consume ${what}`,
      async () => {
        await Promise.all([producer.connect(), downstream.connect()]);
        await withAdmin(kafka, ensureSharedTopics);
        subscriptions.push(await subscribe(kafka, { ...options, producer, log, metrics }));
      },
      trying,
    );
  const subscribed = Promise.all([
    consume('fan-out tasks', {
      groupId: 'gochat-task',
      topics: [topics.fanoutTasks],
      handle: createFanoutConsumer({ live, client: workers.client }),
    }),
    consume('disconnects', {
      groupId: 'gochat-task-disconnects',
      topics: [topics.userEvents],
      // All partitions at the same time, so that concurrent disconnects share few flows.
      partitionsAtOnce: topicPartitions,
      handle: createDisconnectConsumer({
        client: workers.client,
        confirmMs: config.OFFLINE_CONFIRM_MS,
        metrics,
      }),
    }),
    consume('stored messages', {
      groupId: 'gochat-task-search',
      topics: [topics.messagesStored],
      partitionsAtOnce: topicPartitions,
      ...indexFetching,
      handle: createIndexConsumer({
        search: repo.search,
        async tellAgain(records) {
          await producer.send({ topic: topics.messagesStored, acks: -1, messages: records });
        },
        metrics,
      }),
    }),
  ]).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });

  const admin = await serveAdmin({
    host: config.BIND_HOST,
    port: config.METRICS_PORT,
    metrics,
    dependencies: {
      temporal: workers.ready,
      kafka: () => subscriptions.length === 3,
      repo: repo.ready,
    },
  });

  return {
    adminPort: admin.port,
    async stop() {
      admin.drain();
      stopping.abort();
      await subscribed;
      await Promise.all(subscriptions.map((subscription) => subscription.stop()));
      polling.stop();
      // The fan-out activities end after their current step, and the workers accept no new work.
      live.drain();
      await workers.stop();
      await commit.flush();
      await Promise.all([producer.disconnect(), downstream.disconnect()]);
      repo.close();
      await admin.close();
    },
  };
}
