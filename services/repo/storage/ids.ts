import { randomUUID } from 'node:crypto';
import { retry } from '../../../lib/async/retry.ts';
import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import { codeOf, GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { isLocked } from '../connections/database-errors.ts';
import type { Database, Transaction } from './database.ts';

/**
 * An id has 41 bits of milliseconds since 2024-01-01, 5 bits of worker and 7 bits of sequence: below 2^53 until 2093.
 */
const epochMs = 1_704_067_200_000;
const workers = 32;
const idsPerMs = 128;

/** How much time a process reserves at first, and at least what it has ahead for a burst. */
const firstAheadMs = 3000;
/**
 * How much time a process reserves once it has run for `settledMs`: while the directory is down, ids are made for this
 * long. A process that dies wastes what it has reserved, so one that keeps dying soon after its start reserves little.
 */
const aheadMs = 15 * 60_000;
const settledMs = 10_000;
const leaseMs = 10_000;
const renewEveryMs = 1000;
const claimDeadlineMs = 60_000;

/** The database's clock in milliseconds since `epochMs`. Leases are judged by this clock alone. */
const databaseNow = `FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000) - ${epochMs}`;

export type Ids = {
  /**
   * Returns a new id, unique for ever and greater than every earlier id of this process. Throws UNAVAILABLE when the
   * reserved block is used up.
   */
  nextId(): number;
  stop(): Promise<void>;
};

/** A reserved block: the ids of one worker number whose time is in [start, end), in milliseconds since `epochMs`. */
type Block = { worker: number; owner: string; start: number; end: number };

/**
 * Makes time-ordered ids without a round trip per id. The process reserves a block of time for one worker number in
 * id_workers, makes ids from the block, and renews the reservation in the background. Uniqueness depends on the
 * reservation alone: the next holder of a worker number begins where the last reservation ends. Therefore a paused
 * process, a clock that steps back or a restart can't repeat an id. At worst the time in an id is slightly wrong.
 */
export async function createIds(deps: {
  database: Database;
  log: Logger;
  /** A monotonic clock, in milliseconds. */
  clock?: () => number;
}): Promise<Ids> {
  const { database, log } = deps;
  const clock = deps.clock ?? (() => performance.now());

  const first = await claimWithin(database, claimDeadlineMs, 0);
  let block: Block = first.block;
  let anchor = { databaseMs: first.databaseMs, clockMs: clock() };
  let lastMs = block.start - 1;
  let lastSequence = idsPerMs - 1;
  const settledAt = clock() + settledMs;

  async function renew(): Promise<void> {
    try {
      const ahead = clock() < settledAt ? firstAheadMs : aheadMs;
      const renewed = (await extend(database, block, lastMs, ahead)) ?? (await claim(database, lastMs + 1));
      if (!renewed) throw new Error('no worker number is free');
      if (renewed.block.owner !== block.owner) {
        // Ids were made while the new worker number was claimed. Continue above those ids and above the new block's
        // start.
        lastMs = Math.max(lastMs, renewed.block.start - 1);
        lastSequence = idsPerMs - 1;
      }
      block = renewed.block;
      anchor = { databaseMs: renewed.databaseMs, clockMs: clock() };
    } catch (error) {
      log.warn({ err: error }, 'cannot renew the reservation of ids');
    }
  }

  const renewal = createSingleFlight(renew);
  const timer = setInterval(renewal.run, renewEveryMs).unref();

  return {
    nextId() {
      const now = Math.floor(anchor.databaseMs + clock() - anchor.clockMs);
      // The rest of a reservation stays valid after its time has passed, so an outage of the database has no effect.
      let ms = Math.max(lastMs, Math.min(now, block.end - 1));
      let sequence = ms === lastMs ? lastSequence + 1 : 0;
      if (sequence === idsPerMs) {
        ms++;
        sequence = 0;
      }
      if (block.end - ms < firstAheadMs / 3) void renewal.run();
      if (ms >= block.end) throw new GoChatError('UNAVAILABLE', 'No ids can be made right now. Try again.');
      lastMs = ms;
      lastSequence = sequence;
      return (ms * workers + block.worker) * idsPerMs + sequence;
    },
    async stop() {
      clearInterval(timer);
      await renewal.inFlight();
      await release(database, block, lastMs + 1);
    },
  };
}

type Reserved = { block: Block; databaseMs: number };

function claimWithin(database: Database, deadlineMs: number, from: number): Promise<Reserved> {
  const allTaken = new Error(`all ${workers} worker numbers for ids are taken`);
  const attempt = async (): Promise<Reserved> => {
    const claimed = await claim(database, from);
    if (!claimed) throw allTaken;
    return claimed;
  };
  return retry(attempt, {
    firstMs: 250,
    longestMs: 500,
    withinMs: deadlineMs,
    isTransient: (error) => error === allTaken || codeOf(error) === 'UNAVAILABLE',
  });
}

/** Claims a worker number that no process holds, with a first block that begins at `from` or later. */
async function claim(database: Database, from: number): Promise<Reserved | undefined> {
  const free = await database.query<{ worker: number }>(
    // What a dead process reserved may lie in the future: a number that was given back comes first, then the one that
    // is reserved least.
    `SELECT worker FROM id_workers WHERE ${isFree}
     ORDER BY owner IS NOT NULL, IF(owner IS NULL, 0, reserved_until), worker`,
  );
  for (const { worker } of free) {
    const claimed = await claimWorker(database, worker, from);
    if (claimed) return claimed;
  }
  return undefined;
}

const isFree = `(owner IS NULL OR lease_until < ${databaseNow})`;

/** Returns undefined if another process has claimed the worker number or is claiming it now. */
function claimWorker(database: Database, worker: number, from: number): Promise<Reserved | undefined> {
  return database.transaction(async (tx) => {
    const free = await lockFree(tx, worker);
    if (!free) return undefined;
    const start = Math.max(free.reserved, free.at, from);
    const block = { worker, owner: randomUUID(), start, end: start + firstAheadMs };
    await tx.execute(
      'UPDATE id_workers SET owner = ?, lease_until = ?, reserved_until = ? WHERE worker = ?',
      [block.owner, free.at + leaseMs, block.end, worker],
    );
    return { block, databaseMs: free.at };
  });
}

async function lockFree(
  tx: Transaction,
  worker: number,
): Promise<{ reserved: number; at: number } | undefined> {
  try {
    const [free] = await tx.query<{ reserved: number; at: number }>(
      `SELECT reserved_until AS reserved, ${databaseNow} AS at FROM id_workers
       WHERE worker = ? AND ${isFree} FOR UPDATE NOWAIT`,
      [worker],
    );
    return free;
  } catch (error) {
    if (isLocked(error)) return undefined;
    throw error;
  }
}

/** Moves the block's end forward. Returns undefined if another process has taken over the worker number. */
function extend(
  database: Database,
  block: Block,
  lastMs: number,
  ahead: number,
): Promise<Reserved | undefined> {
  return database.transaction(async (tx) => {
    await tx.execute(
      `UPDATE id_workers SET
         lease_until = ${databaseNow} + ?,
         reserved_until = GREATEST(reserved_until, ${databaseNow} + ?, ?)
       WHERE worker = ? AND owner = ?`,
      [leaseMs, ahead, lastMs + ahead, block.worker, block.owner],
    );
    const [row] = await tx.query<{ reserved: number; at: number }>(
      `SELECT reserved_until AS reserved, ${databaseNow} AS at FROM id_workers WHERE worker = ? AND owner = ?`,
      [block.worker, block.owner],
    );
    return row && { block: { ...block, end: row.reserved }, databaseMs: row.at };
  });
}

/** Gives the worker number back, along with the unused rest of the block. */
async function release(database: Database, block: Block, unused: number): Promise<void> {
  await database
    .execute(
      'UPDATE id_workers SET owner = NULL, lease_until = 0, reserved_until = ? WHERE worker = ? AND owner = ?',
      [unused, block.worker, block.owner],
    )
    .catch(() => undefined);
}
