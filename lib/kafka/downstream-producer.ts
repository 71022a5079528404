import type { ProducerBatch } from 'kafkajs';
import type { Logger } from '../log.ts';
import { type KafkaConnection, withAdmin } from './kafka.ts';
import { ensureDownstreamTopics } from './topics.ts';

export type DownstreamProducer = {
  /**
   * Finds out which of the topics are there, as far as that is not known. Those that are `needed` are made where they
   * are missing: their receivers live.
   */
  lookUp(topics: Iterable<string>, needed: ReadonlySet<string>): Promise<void>;
  /** Whether the topic was there. */
  reaches(topic: string): boolean;
  sendBatch(topicMessages: NonNullable<ProducerBatch['topicMessages']>): Promise<void>;
  /** After a failure: with a new producer, that has all topics looked up anew. */
  renew(): Promise<void>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
};

/** How long a receiver whose topic is missing counts as gone. */
const absentMs = 2000;
const absentKept = 1000;

/**
 * A producer for the topics of receivers, which come and go. One unknown topic fails a whole batch, and a topic that
 * vanished poisons its producer for good: so topics are looked up before they are routed to for the first time, and
 * after a failure everything is looked up anew with a new producer.
 */
export function createDownstreamProducer(deps: { kafka: KafkaConnection; log: Logger }): DownstreamProducer {
  const { kafka, log } = deps;
  let producer = kafka.producer();
  const present = new Set<string>();
  const absent = new Map<string, number>();

  return {
    async lookUp(topics, needed) {
      const now = Date.now();
      const unknown = new Set<string>();
      for (const topic of topics) {
        if (present.has(topic)) continue;
        if (needed.has(topic) || now >= (absent.get(topic) ?? 0)) unknown.add(topic);
      }
      if (unknown.size === 0) return;
      await withAdmin(kafka, async (admin) => {
        const existing = new Set(await admin.listTopics());
        const missing = [...unknown].filter((topic) => needed.has(topic) && !existing.has(topic));
        if (missing.length > 0) {
          log.warn({ topics: missing }, 'topics of receivers are missing: making them');
          await ensureDownstreamTopics(admin, missing);
        }
        for (const topic of unknown) {
          if (existing.has(topic) || needed.has(topic)) {
            present.add(topic);
            absent.delete(topic);
          } else {
            // Nobody listens: an acknowledgement for a gateway that is gone.
            absent.set(topic, now + absentMs);
          }
        }
      });
      if (absent.size > absentKept) absent.clear();
    },

    reaches: (topic) => present.has(topic),

    async sendBatch(topicMessages) {
      await producer.sendBatch({ acks: -1, topicMessages });
    },

    async renew() {
      present.clear();
      absent.clear();
      const next = kafka.producer();
      await next.connect();
      const old = producer;
      producer = next;
      await old.disconnect().catch(() => undefined);
    },

    connect: () => producer.connect(),
    disconnect: () => producer.disconnect(),
  };
}
