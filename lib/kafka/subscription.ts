import { setTimeout as sleep } from 'node:timers/promises';
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import { createBackoff } from '../async/retry.ts';
import { chunks } from '../chunks.ts';
import { GoChatError, isRetryable } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { buildDeadRecord } from './dead-records.ts';
import type { KafkaConnection, Producer } from './kafka.ts';
import { countRecords, watchInProgress } from './record-metrics.ts';
import { topics } from './topics.ts';

export type ReceivedRecord = {
  topic: string;
  partition: number;
  offset: string;
  /** The broker's time of the record, Unix milliseconds as a decimal number. */
  timestamp: string;
  value: unknown;
};

/** A received record with the kafkajs message from which it was parsed. */
type FetchedRecord = ReceivedRecord & { message: Pick<KafkaMessage, 'key' | 'value'> };

export type Subscription = { stop(): Promise<void> };

const pauses = { firstMs: 100, longestMs: 5000 };
/** Interval of heartbeats during a pause, so that the group does not remove this process. */
const heartbeatEveryMs = 1000;

export type SubscribeOptions = {
  groupId: string;
  topics: string[];
  /** Produces dead records. */
  producer: Producer;
  /** Must call `heartbeat` meanwhile if it may take many seconds, so that the group does not remove this process. */
  handle: (records: ReceivedRecord[], heartbeat: () => Promise<void>) => Promise<void>;
  /** Maximum number of partitions that are handled concurrently, each in order; 1 unless given. */
  partitionsAtOnce?: number;
  /** Maximum number of records that are handled at once, so that the group hears from this process meanwhile. */
  recordsAtOnce?: number;
  /**
   * How long a fetch gathers records, for what is not urgent: each fetch costs the broker and this process about a
   * millisecond of CPU, however few records it brings. A record is fetched at once unless it is given.
   */
  gatherMs?: number;
  log: Logger;
  metrics: Metrics;
};

/**
 * Consumes topics of JSON records in batches, at least once: offsets are committed after `handle` has resolved. After a
 * transient error (UNAVAILABLE, INTERNAL_ERROR and any fault), the batch is retried with growing pauses. After a final
 * error, the batch is bisected; a record that fails by itself, or is no JSON, goes to gochat.messages.dead.
 */
export async function subscribe(kafka: KafkaConnection, options: SubscribeOptions): Promise<Subscription> {
  const { log, metrics, producer } = options;
  const handled = countRecords(metrics);
  // The series start at 0, so that the first dead record counts as an increase.
  for (const topic of options.topics) handled.inc({ topic, result: 'dead' }, 0);
  const inProgress = watchInProgress(metrics, options.topics);
  const lag = metrics.gauge('gochat_consumer_lag_records', 'Records behind the end of a partition.', [
    'topic',
    'partition',
  ]);
  const consumer = kafka.consumer({ groupId: options.groupId, ...fetching(options.gatherMs) });
  const stopping = new AbortController();

  async function sendDeadRecord(record: FetchedRecord, error: unknown): Promise<void> {
    const { topic, partition, offset } = record;
    const { key, value } = record.message;
    log.error({ topic, partition, offset, err: error }, 'record goes to the dead records');
    const dead = buildDeadRecord({ topic, partition, offset, key, value }, error);
    await producer.send({ topic: topics.dead, acks: -1, messages: [dead] });
    handled.inc({ topic, result: 'dead' });
  }

  /** Answers false if the subscription was stopped before the records were handled: they are redelivered. */
  async function process(records: FetchedRecord[], heartbeat: () => Promise<void>): Promise<boolean> {
    const nextPauseMs = createBackoff(pauses);
    while (!stopping.signal.aborted) {
      try {
        await options.handle(records, heartbeat);
        for (const { topic } of records) handled.inc({ topic, result: 'ok' });
        return true;
      } catch (error) {
        const final = error instanceof GoChatError && !isRetryable(error.code);
        const [only] = records;
        if (final && records.length === 1 && only) {
          await sendDeadRecord(only, error);
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
        log.warn(
          { err: error, records: records.length, pauseMs },
          'cannot process records; retrying after a pause',
        );
        await pause(pauseMs, heartbeat, stopping.signal);
      }
    }
    return false;
  }

  /** `restart` must be called when other records of the batch are in progress than before. */
  async function processBatch(
    { batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload,
    restart: () => void,
  ): Promise<void> {
    const { topic, partition } = batch;
    const records: FetchedRecord[] = [];
    for (const message of batch.messages) {
      const { offset, timestamp } = message;
      const record = { topic, partition, offset, timestamp, value: undefined as unknown, message };
      try {
        record.value = JSON.parse(message.value?.toString('utf8') ?? '');
        records.push(record);
      } catch (error) {
        await sendDeadRecord(record, error);
      }
    }
    if (!isRunning() || isStale()) return;
    for (const some of chunks(records, options.recordsAtOnce ?? Number.POSITIVE_INFINITY)) {
      if (!(await process(some, heartbeat))) return;
      resolveOffset(some.at(-1)?.offset ?? batch.lastOffset());
      await heartbeat();
      if (!isRunning() || isStale()) return;
      restart();
    }
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
      const { topic } = payload.batch;
      let done = inProgress.begin(topic);
      try {
        await processBatch(payload, () => {
          done();
          done = inProgress.begin(topic);
        });
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

/** The broker answers a fetch after that time, or when there is this much. */
const fetching = (gatherMs: number | undefined) =>
  gatherMs === undefined ? {} : { maxWaitTimeInMs: gatherMs, minBytes: 256 * 1024 };

/** Sleeps `ms` milliseconds and sends heartbeats. Ends early if the subscription is stopped. */
async function pause(ms: number, heartbeat: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let leftMs = ms; leftMs > 0 && !signal.aborted; leftMs -= heartbeatEveryMs) {
    await sleep(Math.min(heartbeatEveryMs, leftMs), undefined, { signal }).catch(() => undefined);
    await heartbeat();
  }
}
