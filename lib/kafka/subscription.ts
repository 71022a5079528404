import { setTimeout as sleep } from 'node:timers/promises';
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import { createBackoff } from '../async/retry.ts';
import { GoChatError, isRetryable } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { buryRecord } from './dead-records.ts';
import type { KafkaConnection, Producer } from './kafka.ts';
import { countRecords, watchInHand } from './record-metrics.ts';
import { topics } from './topics.ts';

export type ReceivedRecord = {
  topic: string;
  partition: number;
  offset: string;
  /** The broker's time of the record, Unix milliseconds as a decimal number. */
  timestamp: string;
  value: unknown;
};

/** With what it was made of. */
type FetchedRecord = ReceivedRecord & { message: Pick<KafkaMessage, 'key' | 'value'> };

export type Subscription = { stop(): Promise<void> };

const pauses = { firstMs: 100, longestMs: 5000 };
/** Within a pause, so that the group does not take this process for dead. */
const heartbeatEveryMs = 1000;

export type SubscribeOptions = {
  groupId: string;
  topics: string[];
  /** For dead records. */
  producer: Producer;
  handle: (records: ReceivedRecord[]) => Promise<void>;
  /** Partitions handled at the same time, each in order; 1 unless told otherwise. */
  partitionsAtOnce?: number;
  log: Logger;
  metrics: Metrics;
};

/**
 * Consumes topics of JSON records in batches, at least once: offsets are committed after `handle` resolved. What is
 * transient (UNAVAILABLE, INTERNAL_ERROR and any fault) is tried again with a growing pause; a record that is no
 * JSON, or that alone is refused for good, goes to gochat.messages.dead and the rest goes on.
 */
export async function subscribe(kafka: KafkaConnection, options: SubscribeOptions): Promise<Subscription> {
  const { log, metrics, producer } = options;
  const handled = countRecords(metrics);
  // There from the start, so that the first dead record is an increase.
  for (const topic of options.topics) handled.inc({ topic, result: 'dead' }, 0);
  const inHand = watchInHand(metrics, options.topics);
  const lag = metrics.gauge('gochat_consumer_lag_records', 'Records behind the end of a partition.', [
    'topic',
    'partition',
  ]);
  const consumer = kafka.consumer({ groupId: options.groupId });
  const stopping = new AbortController();

  async function bury(record: FetchedRecord, error: unknown): Promise<void> {
    const { topic, partition, offset } = record;
    const { key, value } = record.message;
    log.error({ topic, partition, offset, err: error }, 'record is dead');
    const dead = buryRecord({ topic, partition, offset, key, value }, error);
    await producer.send({ topic: topics.dead, acks: -1, messages: [dead] });
    handled.inc({ topic, result: 'dead' });
  }

  /** False when it was stopped before the records were handled: they come again. */
  async function process(records: FetchedRecord[], heartbeat: () => Promise<void>): Promise<boolean> {
    const nextPauseMs = createBackoff(pauses);
    while (!stopping.signal.aborted) {
      try {
        await options.handle(records);
        for (const { topic } of records) handled.inc({ topic, result: 'ok' });
        return true;
      } catch (error) {
        const final = error instanceof GoChatError && !isRetryable(error.code);
        const [only] = records;
        if (final && records.length === 1 && only) {
          await bury(only, error);
          return true;
        }
        if (final) {
          const middle = records.length >> 1;
          return (
            (await process(records.slice(0, middle), heartbeat)) &&
            (await process(records.slice(middle), heartbeat))
          );
        }
        const pauseMs = nextPauseMs();
        log.warn({ err: error, records: records.length, pauseMs }, 'cannot process records now');
        await pause(pauseMs, heartbeat, stopping.signal);
      }
    }
    return false;
  }

  async function processBatch({
    batch,
    resolveOffset,
    heartbeat,
    isRunning,
    isStale,
  }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    const records: FetchedRecord[] = [];
    for (const message of batch.messages) {
      const { offset, timestamp } = message;
      const record = { topic, partition, offset, timestamp, value: undefined as unknown, message };
      try {
        record.value = JSON.parse(message.value?.toString('utf8') ?? '');
        records.push(record);
      } catch (error) {
        await bury(record, error);
      }
    }
    if (!isRunning() || isStale()) return;
    if (records.length > 0 && !(await process(records, heartbeat))) return;
    resolveOffset(batch.lastOffset());
    lag.set({ topic, partition }, Number(batch.offsetLag()));
    await heartbeat();
  }

  await consumer.connect();
  await consumer.subscribe({ topics: options.topics, fromBeginning: true });
  await consumer.run({
    autoCommit: true,
    autoCommitInterval: 500,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: options.partitionsAtOnce ?? 1,
    eachBatch: async (payload) => {
      const done = inHand.take(payload.batch.topic);
      try {
        await processBatch(payload);
      } finally {
        done();
      }
    },
  });
  return {
    async stop() {
      stopping.abort();
      await consumer.disconnect();
    },
  };
}

/** Ends early when the subscription is stopped. */
async function pause(ms: number, heartbeat: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let leftMs = ms; leftMs > 0 && !signal.aborted; leftMs -= heartbeatEveryMs) {
    await sleep(Math.min(heartbeatEveryMs, leftMs), undefined, { signal }).catch(() => undefined);
    await heartbeat();
  }
}
