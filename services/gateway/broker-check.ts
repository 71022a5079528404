import type { KafkaConnection } from '../../lib/kafka/kafka.ts';

export type BrokerCheck = { isUp(): Promise<boolean>; stop(): Promise<void> };

/** Checks whether the Kafka broker answers. Concurrent calls of `isUp` share one request. */
export async function createBrokerCheck(kafka: KafkaConnection): Promise<BrokerCheck> {
  const admin = kafka.admin();
  await admin.connect();
  let pending: Promise<boolean> | undefined;
  return {
    isUp() {
      pending ??= admin
        .describeCluster()
        .then(
          ({ brokers }) => brokers.length > 0,
          () => false,
        )
        .finally(() => {
          pending = undefined;
        });
      return pending;
    },
    stop: () => admin.disconnect(),
  };
}
