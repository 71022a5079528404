import type { Consumer, ConsumerRunConfig } from 'kafkajs';
import { jittered } from '../async/retry.ts';
import type { Logger } from '../log.ts';

/** The minimum pause before a restart, in milliseconds. The maximum is twice as long. */
const defaultPauseMs = 300;

/**
 * A consumer that restarts after every crash until it is stopped. kafkajs itself has two faults. It gives a consumer up
 * after errors that it considers final, such as a missing coordinator while the broker starts: the process would look
 * healthy but read nothing. After other errors it restarts the consumer, even if it was stopped meanwhile: the process
 * could not end. So kafkajs's restarts are turned off (`restartOnFailure`), and this wrapper restarts the consumer.
 */
export function keepRunning(consumer: Consumer, log: Logger, pauseMs = defaultPauseMs): Consumer {
  let config: ConsumerRunConfig | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function run(): Promise<void> {
    await consumer.run(config);
    // The consumer was stopped while it joined its group. kafkajs ignores a stop at that time.
    if (stopped) await consumer.disconnect();
  }

  async function restart(): Promise<void> {
    try {
      await consumer.connect();
      if (!stopped) await run();
    } catch (error) {
      scheduleRestart(error);
    }
  }

  function scheduleRestart(error: unknown): void {
    if (stopped) return;
    log.error({ err: error }, 'consumer crashed; restarting it');
    timer = setTimeout(() => void restart(), jittered(pauseMs));
  }

  consumer.on(consumer.events.CRASH, ({ payload }) => scheduleRestart(payload.error));

  const end = (): void => {
    stopped = true;
    clearTimeout(timer);
  };

  return {
    ...consumer,
    async run(given) {
      config = given;
      stopped = false;
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
