import type { KafkaConnection } from './kafka.ts';
import { withAdmin } from './kafka.ts';

export type Tail = { stop(): Promise<void> };

/**
 * Follows a topic of one partition from its current end: every record produced after this function resolves is passed
 * to `onRecord`, in order. kafkajs cannot assign partitions without a group, so each reader is the only member of a
 * group. The caller names the group with its boot id; `stop` deletes the group.
 */
export async function followTail(
  kafka: KafkaConnection,
  options: {
    topic: string;
    groupId: string;
    onRecord: (value: Buffer, key: Buffer | null) => void;
    /** Called with the oldest record of each fetch. */
    onFetch?: (oldest: { timestamp: string }) => void;
  },
): Promise<Tail> {
  const end = await withAdmin(kafka, async (admin) => {
    const [partition] = await admin.fetchTopicOffsets(options.topic);
    return partition?.high ?? '0';
  });
  const consumer = kafka.consumer({
    groupId: options.groupId,
    maxBytesPerPartition: 8 * 1024 * 1024,
  });
  await consumer.connect();
  await consumer.subscribe({ topic: options.topic, fromBeginning: true });
  // The offset at which to continue after a rejoin. It is kept in memory, since nothing is committed.
  let next = end;
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => {
      consumer.seek({ topic: options.topic, partition: 0, offset: next });
      resolve();
    });
  });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch, heartbeat }) => {
      const [oldest] = batch.messages;
      if (oldest) options.onFetch?.(oldest);
      for (const message of batch.messages) {
        if (BigInt(message.offset) < BigInt(next)) continue;
        if (message.value) options.onRecord(message.value, message.key);
        next = String(BigInt(message.offset) + 1n);
      }
      await heartbeat();
    },
  });
  await joined;
  return {
    async stop() {
      await consumer.disconnect();
      await withAdmin(kafka, (admin) => admin.deleteGroups([options.groupId])).catch(() => undefined);
    },
  };
}
