import type { KafkaConnection } from '../../lib/kafka/kafka.ts';

export type BrokerCheck = { isUp(): Promise<boolean>; stop(): Promise<void> };

/** Whether the broker answers. One question is under way at a time, however often it is asked. */
export async function createBrokerCheck(kafka: KafkaConnection): Promise<BrokerCheck> {
  const admin = kafka.admin();
  await admin.connect();
  let asking: Promise<boolean> | undefined;
  return {
    isUp() {
      asking ??= admin
        .describeCluster()
        .then(
          ({ brokers }) => brokers.length > 0,
          () => false,
        )
        .finally(() => {
          asking = undefined;
        });
      return asking;
    },
    stop: () => admin.disconnect(),
  };
}
