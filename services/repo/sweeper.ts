import { createSingleFlight } from '../../lib/async/single-flight.ts';
import { signInAddressMs } from '../../lib/domain/session-lifetimes.ts';
import type { Logger } from '../../lib/log.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { clientMsgIdMs } from './archive/archive-publish.ts';
import { accessExpiry } from './sessions/access-expiry.ts';
import type { Database } from './storage/database.ts';
import type { Databases } from './storage/databases.ts';
import { tableGroups } from './storage/table-groups.ts';

const intervalMs = 60_000;
const batchRows = 500;
const maxBatches = 20;

const hourMs = 3_600_000;

/**
 * The rows to delete: `?` stands for the time `afterMs` ago. A revoked session is kept until its last access token has
 * expired, because gateways ask for it until then.
 */
const expiredRows = [
  { table: 'idempotency_keys', condition: 'expires_at < ?', afterMs: 0 },
  { table: 'sessions', condition: `revoked_at < ? AND ${accessExpiry} < ?`, afterMs: hourMs },
  { table: 'sessions', condition: 'expires_at < ?', afterMs: hourMs },
  { table: 'sign_in_addresses', condition: 'last_sign_in_at < ?', afterMs: signInAddressMs },
  // One day longer than the workflow histories that refer to these texts, which are kept for seven days.
  { table: 'flow_texts', condition: 'created_at < ?', afterMs: 8 * 24 * hourMs },
  { table: 'cold_client_msg_ids', condition: 'created_at < ?', afterMs: clientMsgIdMs },
  { table: 'username_reservations', condition: 'reserved_until < ?', afterMs: 0 },
] as const;

export type Sweeper = {
  /** Runs one round: at most `maxBatches` batches per entry of `expiredRows`. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
};

/** Deletes expired rows every minute, in small batches that hold no lock for long. Several processes may run it. */
export function startSweeper(deps: { databases: Databases; log: Logger; metrics: Metrics }): Sweeper {
  const { databases, log } = deps;
  const swept = deps.metrics.counter('gochat_swept_rows_total', 'Expired rows deleted.', ['table']);
  let stopping = false;

  async function sweep(): Promise<void> {
    // Each database by itself: one that is down must not hold up the others.
    const rounds = await Promise.allSettled(databases.all.map(sweepDatabase));
    for (const round of rounds) if (round.status === 'rejected') throw round.reason;
  }

  async function sweepDatabase(database: Database): Promise<void> {
    for (const { table, condition, afterMs } of expiredRows) {
      if (!databasesWith(table).includes(database)) continue;
      await sweepTable(database, table, condition.replaceAll('?', String(Date.now() - afterMs)));
    }
  }

  async function sweepTable(database: Database, table: string, expired: string): Promise<void> {
    for (let batch = 0; batch < maxBatches && !stopping; batch++) {
      const { affectedRows } = await database.execute(
        `DELETE FROM ${table} WHERE ${expired} LIMIT ${batchRows}`,
      );
      swept.inc({ table }, affectedRows);
      if (affectedRows < batchRows) return;
    }
  }

  function databasesWith(table: string): readonly Database[] {
    const group = tableGroups[table];
    if (group === 'each') return databases.all;
    if (group === 'conversations') return databases.shards;
    return [group === 'directory' ? databases.directory : databases.users];
  }

  const rounds = createSingleFlight(() =>
    sweep().catch((error: unknown) => log.warn({ err: error }, 'cannot delete expired rows')),
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
