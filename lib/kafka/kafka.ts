// Room: Kafka: topics, producing and consuming. Only this room knows the client library, and nothing in it
// knows what consumers do with a record.

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
 * While the broker is down, a connection is tried again at least every 400 ms, since what waits for the broker is what
 * a user waits for; for about nine seconds in all.
 */
const retry = { initialRetryTime: 100, maxRetryTime: 400, retries: 24 };

/**
 * Connects one process to Kafka. Producers wait for all replicas; every connection retries while the broker is down.
 * In a process that consumes, `clientId` must be unique to the process and stay the same after a restart, since
 * consumers take over the partitions of members with the same client id.
 */
export function connectKafka(options: { brokers: string; clientId: string; log: Logger }) {
  const { clientId, log } = options;
  const kafka = new Kafka({
    clientId,
    brokers: options.brokers.split(','),
    connectionTimeout: 3000,
    requestTimeout: 15_000,
    retry,
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
            // If a process is killed and does not restart, its partitions wait this long for another process.
            sessionTimeout: 10_000,
            rebalanceTimeout: 12_000,
            heartbeatInterval: 2000,
            // How long the broker holds a fetch while there are no records; it answers at once when one comes. A stop, a
            // heartbeat and what the group tells have to wait for the fetch in flight.
            maxWaitTimeInMs: 1000,
            minBytes: 1,
            ...config,
            retry: {
              ...retry,
              ...config.retry,
              // keepRunning restarts the consumer instead of kafkajs.
              restartOnFailure: async () => false,
            },
          }),
        ),
        log,
      ),
  };
}

/** Runs `work` with a new admin client, and disconnects the client afterwards. */
export async function withAdmin<T>(kafka: KafkaConnection, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
