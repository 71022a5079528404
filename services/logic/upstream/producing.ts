import { type KafkaConnection, type Producer, withAdmin } from '../../../lib/kafka/kafka.ts';
import { ensureDownstreamTopic, topics } from '../../../lib/kafka/topics.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Delivery } from './delivery.ts';
import { maxRecordBytes } from './record-builder.ts';

export type Producing = {
  /** Resolves when the broker acknowledged all of it; tries until then, or rejects once `stop` was called. */
  produce(delivery: Delivery): Promise<void>;
  /** The same, tried once: for what is worth nothing later. */
  attempt(delivery: Delivery): Promise<void>;
  /** No more tries. */
  abandon(): void;
  disconnect(): Promise<void>;
};

type Key = string | Buffer | null;
type Outgoing = { topic: string; key: Key; value: string; bytes: number };
type Batch = { topic: string; messages: { key: Key; value: string }[] }[];

const longestPauseMs = 2000;
/** How long a receiver whose topic is missing counts as gone. */
const absentMs = 2000;

/**
 * Produces deliveries, each as one batch over all topics (or a few, where there is too much for one). One unknown topic fails a whole batch, and a topic that
 * vanished poisons its producer for good: so topics are looked up before they are routed to for the first time, and
 * after a failure everything is looked up anew with a new producer.
 */
export async function createProducing(deps: { kafka: KafkaConnection; log: Logger }): Promise<Producing> {
  const { kafka, log } = deps;
  let producer = await connected(kafka);
  let abandoned = false;
  const present = new Set<string>();
  const absent = new Map<string, number>();

  async function lookUp(delivery: Delivery): Promise<void> {
    const now = Date.now();
    const unknown = new Set<string>();
    for (const { receiverId } of delivery.records) {
      if (present.has(receiverId) || unknown.has(receiverId)) continue;
      if (delivery.live.has(receiverId) || now >= (absent.get(receiverId) ?? 0)) unknown.add(receiverId);
    }
    if (unknown.size === 0) return;
    await withAdmin(kafka, async (admin) => {
      const existing = new Set(await admin.listTopics());
      for (const receiverId of unknown) {
        if (existing.has(topics.downstream(receiverId))) {
          present.add(receiverId);
          absent.delete(receiverId);
        } else if (delivery.live.has(receiverId)) {
          await ensureDownstreamTopic(admin, receiverId);
          present.add(receiverId);
        } else {
          // Nobody listens: an acknowledgement for a gateway that is gone.
          absent.set(receiverId, now + absentMs);
        }
      }
    });
    if (absent.size > 1000) absent.clear();
  }

  function* reachable(delivery: Delivery): Generator<Outgoing> {
    for (const { receiverId, value, bytes } of delivery.records) {
      if (present.has(receiverId)) yield { topic: topics.downstream(receiverId), key: null, value, bytes };
    }
    for (const task of delivery.tasks) {
      yield outgoing(topics.fanoutTasks, task.conversation_id, JSON.stringify(task));
    }
    for (const { key, value } of delivery.dead) yield outgoing(topics.dead, key, value);
  }

  async function renew(): Promise<void> {
    present.clear();
    absent.clear();
    const old = producer;
    producer = await connected(kafka);
    await old.disconnect().catch(() => undefined);
  }

  async function attempt(delivery: Delivery): Promise<void> {
    await lookUp(delivery);
    for (const topicMessages of batches(reachable(delivery))) {
      await producer.sendBatch({ acks: -1, topicMessages });
    }
  }

  return {
    attempt,
    async produce(delivery) {
      for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
        try {
          return await attempt(delivery);
        } catch (error) {
          if (abandoned) throw error;
          log.warn({ err: error, pauseMs }, 'cannot produce now');
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
          await renew().catch((again) => log.warn({ err: again }, 'cannot connect a producer'));
        }
      }
    },
    abandon() {
      abandoned = true;
    },
    disconnect: () => producer.disconnect(),
  };
}

const outgoing = (topic: string, key: Key, value: string): Outgoing => ({
  topic,
  key,
  value,
  bytes: Buffer.byteLength(value) + (key?.length ?? 0) + 100,
});

/**
 * What goes out at once, in order. All that goes to a partition at once is one record batch, which must not be
 * larger than a single record may be.
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

async function connected(kafka: KafkaConnection): Promise<Producer> {
  const producer = kafka.producer();
  await producer.connect();
  return producer;
}
