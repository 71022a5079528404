import type { Consumer, ConsumerRunConfig } from 'kafkajs';
import type { Logger } from '../log.ts';

const defaultPauseMs = 1000;

/**
 * The same consumer, but it never stays down. kafkajs gives a consumer up for good after errors that it takes for final,
 * such as a coordinator that was not found while the broker starts: nothing would be read any more, by a process that
 * looks well.
 */
export function keepRunning(consumer: Consumer, log: Logger, pauseMs = defaultPauseMs): Consumer {
  let config: ConsumerRunConfig | undefined;
  let over = false;
  let timer: NodeJS.Timeout | undefined;

  async function runAgain(): Promise<void> {
    try {
      await consumer.connect();
      if (!over) await consumer.run(config);
    } catch (error) {
      again(error);
    }
  }

  function again(error: unknown): void {
    if (over) return;
    log.error({ err: error, pauseMs }, 'consumer was given up; it is started again');
    timer = setTimeout(() => void runAgain(), pauseMs);
  }

  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) again(payload.error);
  });

  const end = (): void => {
    over = true;
    clearTimeout(timer);
  };

  return {
    ...consumer,
    async run(given) {
      config = given;
      over = false;
      await consumer.run(given);
    },
    async stop() {
      end();
      await consumer.stop();
    },
    async disconnect() {
      end();
      await consumer.disconnect();
    },
  };
}
