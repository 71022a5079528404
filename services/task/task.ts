import { createLiveConversations } from '../../activities/fanout/live-conversations.ts';
import { createActivities } from '../../activities/index.ts';
import { serveAdmin } from '../../lib/admin.ts';
import { connectRepo } from '../../lib/grpc/clients.ts';
import { createGroupCommit } from '../../lib/kafka/group-commit.ts';
import { connectKafka, withAdmin } from '../../lib/kafka/kafka.ts';
import { type Subscription, subscribe } from '../../lib/kafka/subscription.ts';
import { ensureSharedTopics, topics } from '../../lib/kafka/topics.ts';
import { keepTrying } from '../../lib/keep-trying.ts';
import type { Logger } from '../../lib/log.ts';
import { createMetrics } from '../../lib/metrics.ts';
import type { Running } from '../../lib/service.ts';
import type { TaskConfig } from './config.ts';
import { createFanoutConsumer } from './fanout-consumer.ts';
import { pollHeads } from './head-poll.ts';
import { installRuntime, runWorkers } from './temporal.ts';
import { bundleWorkflows } from './workflow-bundle.ts';

/** Records that may wait for their produce; beyond it activities are told to try again. */
const maxPendingRecords = 20_000;

/**
 * Starts the Temporal workers and the consumers that feed their flows. It stands while its dependencies are away,
 * and takes up work as they come.
 */
export async function startTask(config: TaskConfig, log: Logger): Promise<Running & { adminPort: number }> {
  const metrics = createMetrics('task');
  const stopping = new AbortController();
  const trying = { log, signal: stopping.signal };
  const repo = connectRepo(config.REPO_ADDRESS);
  const kafka = connectKafka({ brokers: config.KAFKA_BROKERS, clientId: 'gochat-task', log });
  const producer = kafka.producer();
  const commit = createGroupCommit(producer, { maxPending: maxPendingRecords });
  const live = createLiveConversations();
  metrics.observed('gochat_fanout_live_conversations', 'Conversations with an activity here.', live.size);
  metrics.observed('gochat_fanout_pending_records', 'Delivery records not yet acknowledged.', commit.depth);

  installRuntime(log);
  const activities = createActivities({
    repo,
    produce: commit.send,
    live,
    metrics,
    friendRequestTtlMs: config.FRIEND_REQUEST_TTL_MS,
  });
  const workers = runWorkers({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    activities,
    workflowBundle: await bundleWorkflows(),
    log,
  });
  const polling = pollHeads({ repo, live, log });

  let subscription: Subscription | undefined;
  const subscribed = keepTrying(
    'consume fan-out tasks',
    async () => {
      await producer.connect();
      await withAdmin(kafka, ensureSharedTopics);
      subscription = await subscribe(kafka, {
        groupId: 'gochat-task',
        topics: [topics.fanoutTasks],
        producer,
        handle: createFanoutConsumer({ live, client: workers.client }),
        log,
        metrics,
      });
    },
    trying,
  ).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });

  const admin = await serveAdmin({
    host: config.BIND_HOST,
    port: config.METRICS_PORT,
    metrics,
    dependencies: {
      temporal: workers.ready,
      kafka: () => subscription !== undefined,
      repo: repo.ready,
    },
  });

  return {
    adminPort: admin.port,
    async stop() {
      admin.drain();
      stopping.abort();
      await subscribed;
      await subscription?.stop();
      polling.stop();
      // Streaming activities end at their next step, and their workers take no new work.
      live.drain();
      await workers.stop();
      await commit.flush();
      await producer.disconnect();
      repo.close();
      await admin.close();
    },
  };
}
