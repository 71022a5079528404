import type { Consumer, ConsumerRunConfig } from 'kafkajs';
import { jittered } from '../async/retry.ts';
import type { Logger } from '../log.ts';

/** At least, in milliseconds; at most twice as long. */
const defaultPauseMs = 750;

/**
 * The same consumer, but it never stays down, and it stays down once it was told to. kafkajs gives a consumer up for good
 * after errors that it takes for final, such as a coordinator that was not found while the broker starts: nothing would
 * be read any more, by a process that looks well. After other errors it would start again by itself, even a consumer
 * that was stopped meanwhile: a process could not end. So it is told not to (`restartOnFailure`), and starts here.
 */
export function keepRunning(consumer: Consumer, log: Logger, pauseMs = defaultPauseMs): Consumer {
  let config: ConsumerRunConfig | undefined;
  let over = false;
  let timer: NodeJS.Timeout | undefined;

  async function run(): Promise<void> {
    await consumer.run(config);
    // It was stopped while it joined its group, which kafkajs takes no notice of.
    if (over) await consumer.disconnect();
  }

  async function runAgain(): Promise<void> {
    try {
      await consumer.connect();
      if (!over) await run();
    } catch (error) {
      again(error);
    }
  }

  function again(error: unknown): void {
    if (over) return;
    log.error({ err: error }, 'consumer was given up; it is started again');
    timer = setTimeout(() => void runAgain(), jittered(pauseMs));
  }

  consumer.on(consumer.events.CRASH, ({ payload }) => again(payload.error));

  const end = (): void => {
    over = true;
    clearTimeout(timer);
  };

  return {
    ...consumer,
    async run(given) {
      config = given;
      over = false;
      await run();
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
