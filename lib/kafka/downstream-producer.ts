import type { ProducerBatch } from 'kafkajs';
import type { Logger } from '../log.ts';
import { type KafkaConnection, withAdmin } from './kafka.ts';
import { ensureDownstreamTopics } from './topics.ts';

export type DownstreamProducer = {
  /**
   * Finds out which topics exist, and caches the result. Creates the missing ones of `needed`, whose receivers are
   * known to be alive.
   */
  lookUp(topics: Iterable<string>, needed: ReadonlySet<string>): Promise<void>;
  /** True if the topic existed at the last look-up. */
  reaches(topic: string): boolean;
  sendBatch(topicMessages: NonNullable<ProducerBatch['topicMessages']>): Promise<void>;
  /** Must be called after a failure: replaces the producer, and forgets which topics exist. */
  renew(): Promise<void>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
};

/** How long a missing topic is not looked up again, in milliseconds. */
const absentMs = 2000;
/** Maximum number of missing topics that are remembered. */
const maxAbsent = 1000;

/**
 * A producer for the downstream topics of receivers. These topics appear and disappear: one unknown topic fails a
 * whole batch, and a kafkajs producer keeps failing once a topic that it knew was deleted. So topics are looked up
 * before their first use, and after a failure a new producer starts with new look-ups.
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
          log.warn({ topics: missing }, 'creating missing downstream topics of live receivers');
          await ensureDownstreamTopics(admin, missing);
        }
        for (const topic of unknown) {
          if (existing.has(topic) || needed.has(topic)) {
            present.add(topic);
            absent.delete(topic);
          } else {
            // Nobody consumes the topic: the record is an acknowledgement for a gateway that stopped.
            absent.set(topic, now + absentMs);
          }
        }
      });
      if (absent.size > maxAbsent) absent.clear();
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
