// Room: Kafka: topics, records, producing and consuming, and the only place that knows the client library. What a
// record does is its consumer's business.

import kafkajs, {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  Kafka,
  logLevel,
  type Producer,
} from 'kafkajs';
import type { Logger } from '../log.ts';
import './empty-batches.ts';
import './request-queue.ts';
import { keepRunning } from './keep-running.ts';
import { takeOver } from './predecessors.ts';

export type { Admin, Consumer, Producer };

export type KafkaConnection = ReturnType<typeof connectKafka>;

/**
 * Kafka for one process. Producers wait for all replicas; every connection retries while the broker is away. Where it
 * consumes, `clientId` names the process alone and stays the same over restarts: consumers take over from those of it.
 */
export function connectKafka(options: { brokers: string; clientId: string; log: Logger }) {
  const { clientId, log } = options;
  const kafka = new Kafka({
    clientId,
    brokers: options.brokers.split(','),
    connectionTimeout: 3000,
    requestTimeout: 15_000,
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 8 },
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ level, log: { message, ...rest } }) =>
        log[level <= logLevel.ERROR ? 'error' : 'warn'](
          { kafka: { ...rest, logger: undefined, timestamp: undefined } },
          message,
        ),
  });
  return {
    admin: (): Admin => kafka.admin(),
    producer: (): Producer =>
      kafka.producer({
        allowAutoTopicCreation: false,
        createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
        metadataMaxAge: 60_000,
      }),
    consumer: (config: ConsumerConfig): Consumer =>
      keepRunning(
        takeOver({ groupId: config.groupId, clientId, log }, (partitionAssigners) =>
          kafka.consumer({
            allowAutoTopicCreation: false,
            partitionAssigners,
            // How long the partitions of a process that was killed and does not come back wait for another.
            sessionTimeout: 10_000,
            rebalanceTimeout: 12_000,
            heartbeatInterval: 2000,
            maxWaitTimeInMs: 250,
            minBytes: 1,
            ...config,
            retry: {
              initialRetryTime: 100,
              maxRetryTime: 3000,
              retries: 8,
              ...config.retry,
              // keepRunning starts it again.
              restartOnFailure: async () => false,
            },
          }),
        ),
        log,
      ),
  };
}

/** Runs something with an admin client of its own. */
export async function withAdmin<T>(kafka: KafkaConnection, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
