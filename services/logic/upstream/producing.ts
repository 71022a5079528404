import { retry } from '../../../lib/async/retry.ts';
import { createDownstreamProducer } from '../../../lib/kafka/downstream-producer.ts';
import { type KafkaConnection, withAdmin } from '../../../lib/kafka/kafka.ts';
import { ensureSharedTopics, isUnknownTopic, topics } from '../../../lib/kafka/topics.ts';
import type { Logger } from '../../../lib/log.ts';
import { maxRecordBytes } from '../../../lib/records/downstream-writer.ts';
import type { Delivery } from './delivery.ts';

export type Producing = {
  /** Resolves when the broker has acknowledged all records. Retries until then; rejects after `abandon` was called. */
  produce(delivery: Delivery): Promise<void>;
  /** Like `produce`, but without a retry: for records that are worthless later. */
  attempt(delivery: Delivery): Promise<void>;
  /** Ends all retries. */
  abandon(): void;
  disconnect(): Promise<void>;
};

type Key = string | Buffer | null;
type Outgoing = { topic: string; key: Key; value: string; bytes: number };
type Batch = { topic: string; messages: { key: Key; value: string }[] }[];

const pauses = { firstMs: 100, longestMs: 2000 };

/** Produces each delivery as one request for all topics, or as several if it is too large for one. */
export async function createProducing(deps: { kafka: KafkaConnection; log: Logger }): Promise<Producing> {
  const { log } = deps;
  const downstream = createDownstreamProducer(deps);
  await downstream.connect();
  let abandoned = false;

  function* reachable(delivery: Delivery): Generator<Outgoing> {
    for (const { receiverId, value, bytes } of delivery.records) {
      const topic = topics.downstream(receiverId);
      if (downstream.reaches(topic)) yield { topic, key: null, value, bytes };
    }
    for (const task of delivery.tasks) {
      yield outgoing(topics.fanoutTasks, task.conversation_id, JSON.stringify(task));
    }
    if (delivery.stored) yield outgoing(topics.messagesStored, delivery.stored.key, delivery.stored.value);
    for (const { key, value } of delivery.dead) yield outgoing(topics.dead, key, value);
  }

  async function attempt(delivery: Delivery): Promise<void> {
    await downstream.lookUp(
      new Set(delivery.records.map(({ receiverId }) => topics.downstream(receiverId))),
      new Set(Array.from(delivery.live, topics.downstream)),
    );
    for (const topicMessages of batches(reachable(delivery))) {
      await downstream.sendBatch(topicMessages);
    }
  }

  /** A shared topic that is gone would fail every request, so it is created again. */
  async function renew(failure: unknown): Promise<void> {
    try {
      if (isUnknownTopic(failure)) await withAdmin(deps.kafka, ensureSharedTopics);
      await downstream.renew();
    } catch (error) {
      log.warn({ err: error }, 'cannot connect a new producer');
    }
  }

  return {
    attempt,
    produce(delivery) {
      let failure: unknown;
      const tryOnce = async (): Promise<void> => {
        if (failure !== undefined) await renew(failure);
        try {
          await attempt(delivery);
        } catch (error) {
          failure = error;
          throw error;
        }
      };
      return retry(tryOnce, {
        ...pauses,
        isTransient: () => !abandoned,
        onPause: (error, pauseMs) =>
          log.warn({ err: error, pauseMs }, 'cannot produce; retrying after a pause'),
      });
    },
    abandon() {
      abandoned = true;
    },
    disconnect: downstream.disconnect,
  };
}

const outgoing = (topic: string, key: Key, value: string): Outgoing => ({
  topic,
  key,
  value,
  bytes: Buffer.byteLength(value) + (key?.length ?? 0) + 100,
});

/**
 * Divides records into requests, in order. All records of one request for one partition form one record batch, which
 * must not be larger than the maximum size of a single record.
 */
export function batches(records: Iterable<Outgoing>): Batch[] {
  const all: Map<string, Batch[number]>[] = [];
  const filling = new Map<string, { round: number; bytes: number }>();
  for (const { topic, key, value, bytes } of records) {
    let place = filling.get(topic);
    if (!place || place.bytes + bytes > maxRecordBytes) {
      place = { round: place ? place.round + 1 : 0, bytes: 0 };
      filling.set(topic, place);
    }
    place.bytes += bytes;
    all[place.round] ??= new Map();
    const round = all[place.round];
    const messages = round?.get(topic)?.messages;
    if (messages) messages.push({ key, value });
    else round?.set(topic, { topic, messages: [{ key, value }] });
  }
  return all.map((round) => Array.from(round.values()));
}
