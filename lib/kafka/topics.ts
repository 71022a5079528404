import type { Admin } from 'kafkajs';
import { retry } from '../async/retry.ts';

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

/**
 * Of every topic that is shared: the most processes of a kind that share its work. Each costs something in every fetch
 * and every produce, so there are no more than a machine or a few can use.
 */
export const topicPartitions = 6;
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

/** Creates the shared topics that are missing; resolves when all of them can be used. Safe from several processes at once. */
export const ensureSharedTopics = (admin: Admin): Promise<void> => ensure(admin, shared);

/** The same for a receiver's downstream topic. Its records are void after the receiver's next start, so they are kept briefly. */
export const ensureDownstreamTopic = (admin: Admin, receiverId: string): Promise<void> =>
  ensureDownstreamTopics(admin, [topics.downstream(receiverId)]);

/** The same for several, by the topics' names. */
export const ensureDownstreamTopics = (admin: Admin, names: readonly string[]): Promise<void> =>
  ensure(
    admin,
    names.map((topic) => ({ topic, numPartitions: 1, retentionMs: hour })),
  );

/** How long a topic may take from its creation, here or in another process, until the broker serves it. */
const patienceMs = 30_000;
const pauses = { firstMs: 200, longestMs: 400 };

async function ensure(admin: Admin, wanted: typeof shared): Promise<void> {
  const attempt = async (): Promise<void> => {
    await createMissing(admin, wanted);
    // A topic is listed before its partitions are served: whoever asks for their offsets too early fails.
    await Promise.all(wanted.map(({ topic }) => admin.fetchTopicOffsets(topic)));
  };
  await retry(attempt, { ...pauses, withinMs: patienceMs, isTransient });
}

/** Whether the broker says that the same may work a little later. kafkajs wraps what it has tried in vain. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('retriable' in error && error.retriable === true) || isTransient(error.cause);
}

async function createMissing(admin: Admin, wanted: typeof shared): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = wanted.filter(({ topic }) => !existing.has(topic));
  if (missing.length === 0) return;
  await admin.createTopics({
    waitForLeaders: false,
    topics: missing.map(({ topic, numPartitions, retentionMs }) => ({
      topic,
      numPartitions,
      configEntries: [{ name: 'retention.ms', value: String(retentionMs) }],
    })),
  });
}
