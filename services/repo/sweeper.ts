import type { Logger } from '../../lib/log.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Databases } from './database.ts';

const everyMs = 60_000;
const batchRows = 500;
const mostBatches = 20;

/**
 * What is not needed any more. Revoked sessions are kept for an hour: gateways ask for what was revoked during the
 * 15 minutes that an access token lives.
 */
const leftovers = [
  { what: 'idempotency_keys', where: 'expires_at < ?', afterMs: 0 },
  { what: 'sessions', where: 'revoked_at < ?', afterMs: 3_600_000 },
  { what: 'sessions', where: 'expires_at < ?', afterMs: 3_600_000 },
] as const;

export type Sweeper = {
  /** One round, as far as it goes. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
};

/** Deletes what has expired, every minute in small batches that hold no lock for long. Safe in several processes. */
export function startSweeper(deps: { databases: Databases; log: Logger; metrics: Metrics }): Sweeper {
  const { databases, log } = deps;
  const swept = deps.metrics.counter('gochat_swept_rows_total', 'Expired rows deleted.', ['table']);
  let stopping = false;
  let running: Promise<void> | undefined;

  async function sweep(): Promise<void> {
    for (const { what, where, afterMs } of leftovers) {
      for (let batch = 0; batch < mostBatches && !stopping; batch++) {
        const { affectedRows } = await databases.users.execute(
          `DELETE FROM ${what} WHERE ${where} LIMIT ${batchRows}`,
          [Date.now() - afterMs],
        );
        swept.inc({ table: what }, affectedRows);
        if (affectedRows < batchRows) break;
      }
    }
  }

  const timer = setInterval(() => {
    running ??= sweep()
      .catch((error: unknown) => log.warn({ err: error }, 'cannot delete what has expired'))
      .finally(() => {
        running = undefined;
      });
  }, everyMs).unref();

  return {
    sweep,
    async stop() {
      stopping = true;
      clearInterval(timer);
      await running;
    },
  };
}
