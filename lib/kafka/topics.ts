import type { Admin } from 'kafkajs';
import { retry } from '../async/retry.ts';

/** The names of all topics. */
export const topics = {
  upstream: 'gochat.messages.upstream',
  /**
   * One topic per gateway, and one per logic process for the acknowledgements of REST sends. Each has one partition.
   */
  downstream: (receiverId: string) => `gochat.messages.downstream.${receiverId}`,
  fanoutTasks: 'gochat.tasks.fanout',
  /** Which messages were stored, one record per batch. */
  messagesStored: 'gochat.messages.stored',
  friendEvents: 'gochat.friend-events',
  conversationEvents: 'gochat.conversation-events',
  messageEvents: 'gochat.message-events',
  userEvents: 'gochat.user-events',
  dead: 'gochat.messages.dead',
} as const;

/**
 * The partitions of each shared topic, which is the maximum number of processes that can share its work. Every
 * partition adds cost to every fetch and produce, so there are no more than one or a few machines can use.
 */
export const topicPartitions = 6;
const hour = 3_600_000;

const shared: { topic: string; numPartitions: number; retentionMs: number }[] = [
  { topic: topics.upstream, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.fanoutTasks, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.messagesStored, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.friendEvents, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.conversationEvents, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.messageEvents, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.userEvents, numPartitions: topicPartitions, retentionMs: 168 * hour },
  { topic: topics.dead, numPartitions: 1, retentionMs: 30 * 24 * hour },
];

/** Creates the missing shared topics, and resolves when all are usable. Several processes may call it concurrently. */
export const ensureSharedTopics = (admin: Admin): Promise<void> => ensureTopics(admin, shared);

/** Creates a receiver's downstream topic. Its records are void after the receiver restarts, so retention is short. */
export const ensureDownstreamTopic = (admin: Admin, receiverId: string): Promise<void> =>
  ensureDownstreamTopics(admin, [topics.downstream(receiverId)]);

/** Creates several downstream topics, by topic name. */
export const ensureDownstreamTopics = (admin: Admin, names: readonly string[]): Promise<void> =>
  ensureTopics(
    admin,
    names.map((topic) => ({ topic, numPartitions: 1, retentionMs: hour })),
  );

/** Maximum time from the creation of a topic, by this or another process, until the broker serves it. */
const usableWithinMs = 30_000;
const pauses = { firstMs: 200, longestMs: 400 };

/** Creates the missing ones of these topics, and resolves when all are usable. */
export async function ensureTopics(admin: Admin, wanted: typeof shared): Promise<void> {
  const attempt = async (): Promise<void> => {
    await createMissing(admin, wanted);
    // The broker lists a topic before it serves its partitions. Fetching the offsets fails until it does.
    await Promise.all(wanted.map(({ topic }) => admin.fetchTopicOffsets(topic)));
  };
  await retry(attempt, { ...pauses, withinMs: usableWithinMs, isTransient });
}

/** True if the broker calls the error retriable. kafkajs wraps the broker's error after its own retries. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('retriable' in error && error.retriable === true) || isTransient(error.cause);
}

/** True if a request failed because a topic does not exist. kafkajs wraps the broker's error after its own retries. */
export function isUnknownTopic(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('type' in error && error.type === 'UNKNOWN_TOPIC_OR_PARTITION') || isUnknownTopic(error.cause);
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
