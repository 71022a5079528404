// Room: the basics of every service: configuration, logs, metrics, errors, start and stop. Nothing in this room knows
// a particular service, workflow or activity.

import { flushCompileCache } from 'node:module';
import type { Logger } from './log.ts';

/** A running service: `stop` drains it, and resolves when all its connections and timers are closed. */
export type Running = { stop(): Promise<void> };

const stopDeadlineMs = 30_000;

/**
 * Runs a service as this process: starts it, drains it on SIGTERM or SIGINT, and exits non-zero if it cannot start or
 * does not stop within 30 s.
 */
export async function runService(log: Logger, start: () => Promise<Running>): Promise<void> {
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'unhandled rejection');
    process.exit(1);
  });
  let running: Running;
  try {
    running = await start();
  } catch (error) {
    log.fatal({ err: error }, 'cannot start');
    process.exit(1);
  }
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.fatal('did not stop in time');
      process.exit(1);
    }, stopDeadlineMs).unref();
    try {
      await running.stop();
      log.info('stopped');
      process.exit(0);
    } catch (error) {
      log.fatal({ err: error }, 'failed while stopping');
      process.exit(1);
    }
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  log.info('ready');
  // Node would write it only at the end of the process. Without NODE_COMPILE_CACHE this does nothing.
  flushCompileCache();
}
