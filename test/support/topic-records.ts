import { randomUUID } from 'node:crypto';
import { connectKafka, withAdmin } from '../../lib/kafka/kafka.ts';
import { createLogger } from '../../lib/log.ts';

const log = createLogger('test', 'fatal');

/** All current records of a topic, parsed; the records of a key are in order. */
export async function recordsOf<T>(topic: string): Promise<T[]> {
  const kafka = connectKafka({
    brokers: process.env.KAFKA_BROKERS ?? '127.0.0.1:9092',
    clientId: 'test',
    log,
  });
  const partitions = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const unread = new Map(
    partitions
      .filter(({ low, high }) => low !== high)
      .map(({ partition, high }) => [partition, BigInt(high)]),
  );
  if (unread.size === 0) return [];
  const groupId = `test-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId });
  const records: T[] = [];
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      const read = consumer.run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          records.push(JSON.parse(String(message.value)));
          if (BigInt(message.offset) + 1n >= (unread.get(partition) ?? 0n)) unread.delete(partition);
          if (unread.size === 0) resolve();
        },
      });
      read.catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  await withAdmin(kafka, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
  return records;
}
