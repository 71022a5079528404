// Room: projections, which are what one aggregate knows of another: noted in the transaction that changes their source,
// written after it, and written by another process if that one dies. The rooms above say what is projected.

import { randomUUID } from 'node:crypto';
import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { databaseTime } from '../storage/change-time.ts';
import { type Database, formatSql } from '../storage/database.ts';

/** A change that another aggregate does not know yet. `subject` is the id or key of what changed. */
export type Pending = { kind: string; subject: string; token: string };

export const pendingProjection = (kind: string, subject: string): Pending => ({
  kind,
  subject,
  token: randomUUID(),
});

/** How long the process that made a change has to write the projection itself. */
const ownMs = 5000;
/** The pause after an attempt that failed. */
const againMs = 10_000;
const pollMs = 2000;
const maxRows = 100;

/**
 * Returns the statement that notes a projection, for the transaction that changes its source. If the same projection is
 * noted already, the note becomes this one's: whoever writes the newer change writes the older one with it. Another
 * process takes it over after `withinMs`.
 */
export const noteProjection = ({ kind, subject, token }: Pending, withinMs = ownMs): string =>
  formatSql(
    `INSERT INTO pending_projections (kind, subject, token, due_at) VALUES (?, ?, ?, ${databaseTime} + ${withinMs})
     ON DUPLICATE KEY UPDATE token = VALUES(token), due_at = VALUES(due_at)`,
    [kind, subject, token],
  );

/** Returns the statement that deletes a note whose projection is written, unless a later change has noted it anew. */
export const forgetProjection = ({ kind, subject, token }: Pending): string =>
  // Index: the primary key.
  formatSql('DELETE FROM pending_projections WHERE kind = ? AND subject = ? AND token = ?', [
    kind,
    subject,
    token,
  ]);

/**
 * Writes a projection from the present state of its source. It must be idempotent and must never replace a newer
 * version, since several processes may do it at once.
 */
export type WriteProjection = (subject: string) => Promise<void>;

export type ProjectionWorker = {
  /** Writes all projections that are due. */
  writeDue(): Promise<void>;
  stop(): Promise<void>;
};

/** Writes the projections of processes that died after their commit, or could not reach the other database. */
export function startProjectionWorker(deps: {
  databases: readonly Database[];
  writers: Readonly<Record<string, WriteProjection>>;
  log: Logger;
  metrics: Metrics;
}): ProjectionWorker {
  const { databases, writers, log } = deps;
  const late = deps.metrics.counter(
    'gochat_late_projections_total',
    'Projections that another process than the one of the change wrote, or tried to write.',
    ['kind', 'result'],
  );
  let stopping = false;

  async function write(database: Database, pending: Pending): Promise<void> {
    const { kind, subject } = pending;
    try {
      const writer = writers[kind];
      if (!writer) throw new Error(`there is no writer for projections of the kind ${kind}`);
      await writer(subject);
      await database.execute(forgetProjection(pending));
      late.inc({ kind, result: 'written' });
    } catch (error) {
      late.inc({ kind, result: 'failed' });
      log.warn({ err: error, kind, subject }, 'cannot write a projection now');
      await database.execute(
        `UPDATE pending_projections SET due_at = ${databaseTime} + ${againMs} WHERE kind = ? AND subject = ?`,
        [kind, subject],
      );
    }
  }

  async function writeDueOf(database: Database): Promise<void> {
    while (!stopping) {
      const due = await database.query<Pending>(
        // Index: pending_projections_due.
        `SELECT kind, subject, token FROM pending_projections WHERE due_at <= ${databaseTime}
         ORDER BY due_at LIMIT ${maxRows}`,
      );
      for (const pending of due) await write(database, pending);
      if (due.length < maxRows) return;
    }
  }

  // Each by itself: one that is down must not hold up the others.
  const writeDue = async (): Promise<void> => {
    const rounds = await Promise.allSettled(databases.map(writeDueOf));
    for (const round of rounds) if (round.status === 'rejected') throw round.reason;
  };
  const rounds = createSingleFlight(() =>
    writeDue().catch((error: unknown) => log.warn({ err: error }, 'cannot look for projections')),
  );
  const timer = setInterval(rounds.run, pollMs).unref();

  return {
    writeDue,
    async stop() {
      stopping = true;
      clearInterval(timer);
      await rounds.inFlight();
    },
  };
}
