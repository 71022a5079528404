import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';

/** Every topic by the name the contract gives it. */
export const topics = {
  upstream: 'gochat.messages.upstream',
  /** One a gateway (and one a logic process, for the acknowledgements of REST sends), with a single partition. */
  downstream: (receiverId: string) => `gochat.messages.downstream.${receiverId}`,
  fanoutTasks: 'gochat.tasks.fanout',
  friendEvents: 'gochat.friend-events',
  conversationEvents: 'gochat.conversation-events',
  messageEvents: 'gochat.message-events',
  userEvents: 'gochat.user-events',
  dead: 'gochat.messages.dead',
} as const;

/** Of every topic that is shared. */
export const topicPartitions = 12;
const hour = 3_600_000;

const shared: { topic: string; numPartitions: number; retentionMs: number }[] = [
  { topic: topics.upstream, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.fanoutTasks, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.friendEvents, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.conversationEvents, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.messageEvents, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.userEvents, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.dead, numPartitions: 1, retentionMs: 30 * 24 * hour },
];

/** Creates the shared topics that are missing. Safe from several processes at once. */
export const ensureSharedTopics = (admin: Admin): Promise<void> => ensure(admin, shared);

/** Creates a receiver's downstream topic. Its records are void after the receiver's next start, so they are kept briefly. */
export const ensureDownstreamTopic = (admin: Admin, receiverId: string): Promise<void> =>
  ensure(admin, [{ topic: topics.downstream(receiverId), numPartitions: 1, retentionMs: hour }]);

/** How often creation is tried, and the pause between: a topic that another process creates is known a little later. */
const attempts = 20;
const pauseMs = 250;

async function ensure(admin: Admin, wanted: typeof shared): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await createMissing(admin, wanted);
    } catch (error) {
      const passing = error instanceof Error && 'retriable' in error && error.retriable === true;
      if (!passing || attempt === attempts) throw error;
      await sleep(pauseMs);
    }
  }
}

async function createMissing(admin: Admin, wanted: typeof shared): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = wanted.filter(({ topic }) => !existing.has(topic));
  if (missing.length === 0) return;
  await admin.createTopics({
    waitForLeaders: true,
    topics: missing.map(({ topic, numPartitions, retentionMs }) => ({
      topic,
      numPartitions,
      configEntries: [{ name: 'retention.ms', value: String(retentionMs) }],
    })),
  });
}
