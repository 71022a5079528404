import { createSingleFlight } from '../../lib/async/single-flight.ts';
import { signInAddressMs } from '../../lib/domain/session-lifetimes.ts';
import type { Logger } from '../../lib/log.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { accessExpiry } from './sessions/access-expiry.ts';
import type { Databases } from './storage/database.ts';

const intervalMs = 60_000;
const batchRows = 500;
const maxBatches = 20;

const hourMs = 3_600_000;

/**
 * What is not needed any more. A revoked session is kept until the last of its access tokens has expired: gateways ask
 * for it until then.
 */
const leftovers = [
  { what: 'idempotency_keys', where: 'expires_at < ?', afterMs: 0 },
  { what: 'sessions', where: `revoked_at < ? AND ${accessExpiry} < ?`, afterMs: hourMs },
  { what: 'sessions', where: 'expires_at < ?', afterMs: hourMs },
  { what: 'sign_in_addresses', where: 'last_sign_in_at < ?', afterMs: signInAddressMs },
  // The histories of the flows that they were for are kept for seven days.
  { what: 'flow_texts', where: 'created_at < ?', afterMs: 8 * 24 * hourMs },
  { what: 'username_reservations', where: 'reserved_until < ?', afterMs: 0 },
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

  async function sweep(): Promise<void> {
    for (const { what, where, afterMs } of leftovers) {
      for (let batch = 0; batch < maxBatches && !stopping; batch++) {
        const { affectedRows } = await databases.users.execute(
          `DELETE FROM ${what} WHERE ${where.replaceAll('?', String(Date.now() - afterMs))} LIMIT ${batchRows}`,
        );
        swept.inc({ table: what }, affectedRows);
        if (affectedRows < batchRows) break;
      }
    }
  }

  const rounds = createSingleFlight(() =>
    sweep().catch((error: unknown) => log.warn({ err: error }, 'cannot delete what has expired')),
  );
  const timer = setInterval(rounds.run, intervalMs).unref();

  return {
    sweep,
    async stop() {
      stopping = true;
      clearInterval(timer);
      await rounds.inFlight();
    },
  };
}
