import { setTimeout as sleep } from 'node:timers/promises';
import type { ProducerBatch } from 'kafkajs';
import { createGather } from '../async/gather.ts';
import { GoChatError } from '../errors.ts';

/** kafkajs sends the records for a partition as one record batch, and the broker accepts batches of up to 1 MiB. */
const maxBatchBytes = 900_000;

type Pending = {
  topic: string;
  key: string | null;
  value: string;
  bytes: number;
  /** By performance.now(). */
  queuedAt: number;
  resolve: () => void;
  reject: (error: unknown) => void;
};

/** The part of a producer that group commit needs. */
export type BatchProducer = { sendBatch(batch: ProducerBatch): Promise<unknown> };

export type GroupCommit = {
  /** Resolves when the broker has acknowledged the record. Rejects at once with UNAVAILABLE if the queue is full. */
  send(topic: string, key: string | null, value: string): Promise<void>;
  /** Records accepted and not yet acknowledged. */
  depth(): number;
  /** Resolves when everything accepted so far is acknowledged or failed. */
  flush(): Promise<void>;
};

/**
 * Group commit for a producer: one produce is in flight at a time, and when it is acknowledged, all records that
 * arrived meanwhile are sent as the next one. Batches grow with the load. Records keep the order in which they were
 * given.
 */
export function createGroupCommit(
  producer: BatchProducer,
  options: {
    maxPending: number;
    maxBatch?: number;
    /** Milliseconds that a produce waits for more records. Less than 1, which is the default, means no wait. */
    lingerMs?: () => number;
    /** Called after each produce: how long it took, and how long its oldest record had waited for it, in seconds. */
    onBatch?: (records: number, seconds: number, waitedSeconds: number) => void;
  },
): GroupCommit {
  const maxBatch = options.maxBatch ?? 2000;
  let pending: Pending[] = [];
  let inFlight = 0;

  /** A batch is cut as soon as the previous one is settled, so its senders' next records are part of the one after. */
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
      const waitedMs = started - (batch[0]?.queuedAt ?? started);
      options.onBatch?.(batch.length, (performance.now() - started) / 1000, waitedMs / 1000);
      inFlight = 0;
    }
  }

  const gather = createGather({ waiting: () => pending.length, handle: produceAll });

  return {
    send(topic, key, value) {
      if (pending.length + inFlight >= options.maxPending) {
        return Promise.reject(
          new GoChatError('UNAVAILABLE', 'Too many records are waiting to be sent. Try again shortly.'),
        );
      }
      return new Promise((resolve, reject) => {
        const bytes = Buffer.byteLength(value) + 100;
        pending.push({ topic, key, value, bytes, queuedAt: performance.now(), resolve, reject });
        gather.wake();
      });
    },
    depth: () => pending.length + inFlight,
    flush: gather.flush,
  };
}

/** How many of the oldest records fit into one produce; at least one. */
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
