import { setTimeout as sleep } from 'node:timers/promises';
import type { ProducerBatch } from 'kafkajs';
import { createGather } from '../async/gather.ts';
import { GoChatError } from '../errors.ts';

/** kafkajs makes one record batch of all that goes to a partition, and the broker takes batches of up to a mebibyte. */
const maxBatchBytes = 900_000;

type Pending = {
  topic: string;
  key: string | null;
  value: string;
  bytes: number;
  resolve: () => void;
  reject: (error: unknown) => void;
};

/** Of a producer, what it takes. */
export type BatchProducer = { sendBatch(batch: ProducerBatch): Promise<unknown> };

export type GroupCommit = {
  /** Resolves when the broker acknowledged the record. Rejects with UNAVAILABLE at once while the queue is full. */
  send(topic: string, key: string | null, value: string): Promise<void>;
  /** Records accepted and not yet acknowledged. */
  depth(): number;
  /** Resolves when everything accepted so far is acknowledged or failed. */
  flush(): Promise<void>;
};

/**
 * Group commit over a producer: one produce is in flight, and when it is acknowledged everything that came
 * meanwhile goes out as the next one. Batches grow with load; records keep the order in which they were given.
 */
export function createGroupCommit(
  producer: BatchProducer,
  options: {
    maxPending: number;
    maxBatch?: number;
    /** How long a produce waits for more to come, in milliseconds; less than 1 is not at all, which is usual. */
    lingerMs?: () => number;
    onBatch?: (records: number, seconds: number) => void;
  },
): GroupCommit {
  const maxBatch = options.maxBatch ?? 2000;
  let pending: Pending[] = [];
  let inFlight = 0;

  /** The next batch is cut as soon as the last one is settled: what its senders go on to send belongs to the one after. */
  async function produceAll(): Promise<void> {
    while (pending.length > 0) {
      const lingerMs = Math.floor(options.lingerMs?.() ?? 0);
      if (lingerMs > 0 && pending.length < maxBatch) await sleep(lingerMs);
      const count = batchLength(pending, maxBatch);
      const batch = pending.slice(0, count);
      pending = pending.slice(count);
      inFlight = batch.length;
      const started = performance.now();
      try {
        await producer.sendBatch({ acks: -1, topicMessages: byTopic(batch) });
        for (const record of batch) record.resolve();
      } catch (error) {
        for (const record of batch) record.reject(error);
      }
      options.onBatch?.(batch.length, (performance.now() - started) / 1000);
      inFlight = 0;
    }
  }

  const gather = createGather({ waiting: () => pending.length, handle: produceAll });

  return {
    send(topic, key, value) {
      if (pending.length + inFlight >= options.maxPending) {
        return Promise.reject(
          new GoChatError('UNAVAILABLE', 'Too much is waiting to be sent. Try again shortly.'),
        );
      }
      return new Promise((resolve, reject) => {
        pending.push({ topic, key, value, bytes: Buffer.byteLength(value) + 100, resolve, reject });
        gather.wake();
      });
    },
    depth: () => pending.length + inFlight,
    flush: gather.flush,
  };
}

/** How many of the oldest fit into one produce; at least one. */
function batchLength(pending: readonly Pending[], maxBatch: number): number {
  let bytes = 0;
  let count = 0;
  for (const record of pending) {
    bytes += record.bytes;
    if (count === maxBatch || (count > 0 && bytes > maxBatchBytes)) break;
    count += 1;
  }
  return count;
}

function byTopic(batch: Pending[]) {
  const topics = new Map<string, { key: string | null; value: string }[]>();
  for (const { topic, key, value } of batch) {
    const messages = topics.get(topic);
    if (messages) messages.push({ key, value });
    else topics.set(topic, [{ key, value }]);
  }
  return Array.from(topics, ([topic, messages]) => ({ topic, messages }));
}
