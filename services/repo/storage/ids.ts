import { randomUUID } from 'node:crypto';
import { retry } from '../../../lib/async/retry.ts';
import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import { codeOf, GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Database, Transaction } from './database.ts';
import { isLocked } from './database-errors.ts';

/** 41 bits of milliseconds since 2024-01-01, 5 bits of worker, 7 bits of sequence: below 2^53 until 2093. */
const epochMs = 1_704_067_200_000;
const workers = 32;
const idsPerMs = 128;

const aheadMs = 3000;
const leaseMs = 10_000;
const renewEveryMs = 1000;
const claimDeadlineMs = 60_000;

/** The database's clock in milliseconds since our epoch: the only wall clock that leases are judged by. */
const databaseNow = `FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000) - ${epochMs}`;

export type Ids = {
  /** A new id: unique for ever, greater than every earlier one of this process. UNAVAILABLE when none is left. */
  nextId(): number;
  stop(): Promise<void>;
};

/** Ids of one worker number: those whose time is in [start, end). */
type Block = { worker: number; owner: string; start: number; end: number };

/**
 * Makes time-ordered ids without asking anybody: a block of time of one worker number is reserved in id_workers
 * before ids are made from it, and renewed in the background. Uniqueness hangs on the reservation alone. Whoever
 * takes over a worker number begins where the last reservation ends, so a process that was paused, a clock that
 * stepped back and a restart can't repeat an id; an id's time is then a little off, never its uniqueness.
 */
export async function createIds(deps: {
  database: Database;
  log: Logger;
  /** Milliseconds that only grow. */
  clock?: () => number;
}): Promise<Ids> {
  const { database, log } = deps;
  const clock = deps.clock ?? (() => performance.now());

  const first = await claimWithin(database, claimDeadlineMs, 0);
  let block: Block = first.block;
  let anchor = { databaseMs: first.databaseMs, clockMs: clock() };
  let lastMs = block.start - 1;
  let lastSequence = idsPerMs - 1;

  async function renew(): Promise<void> {
    try {
      const renewed = (await extend(database, block, lastMs)) ?? (await claim(database, lastMs + 1));
      if (!renewed) throw new Error('no worker number is free');
      if (renewed.block.owner !== block.owner) {
        // Ids were made while it was claimed: go on above both them and its start.
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
      // What is left of a reservation stays good after its time: a short outage of the database goes unnoticed.
      let ms = Math.max(lastMs, Math.min(now, block.end - 1));
      let sequence = ms === lastMs ? lastSequence + 1 : 0;
      if (sequence === idsPerMs) {
        ms++;
        sequence = 0;
      }
      if (block.end - ms < aheadMs / 3) void renewal.run();
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

/** Takes a worker number that nobody holds, and a first block that begins at `from` or later. */
async function claim(database: Database, from: number): Promise<Reserved | undefined> {
  const free = await database.query<{ worker: number }>(
    `SELECT worker FROM id_workers WHERE ${isFree} ORDER BY worker`,
  );
  for (const { worker } of free) {
    const claimed = await claimWorker(database, worker, from);
    if (claimed) return claimed;
  }
  return undefined;
}

const isFree = `(owner IS NULL OR lease_until < ${databaseNow})`;

/** Undefined when another process takes the worker number right now, or has taken it. */
function claimWorker(database: Database, worker: number, from: number): Promise<Reserved | undefined> {
  return database.transaction(async (tx) => {
    const free = await lockFree(tx, worker);
    if (!free) return undefined;
    const start = Math.max(free.reserved, free.at, from);
    const block = { worker, owner: randomUUID(), start, end: start + aheadMs };
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

/** Moves the block's end. Undefined when the worker number has gone to somebody else. */
function extend(database: Database, block: Block, lastMs: number): Promise<Reserved | undefined> {
  return database.transaction(async (tx) => {
    await tx.execute(
      `UPDATE id_workers SET
         lease_until = ${databaseNow} + ?,
         reserved_until = GREATEST(reserved_until, ${databaseNow} + ?, ?)
       WHERE worker = ? AND owner = ?`,
      [leaseMs, aheadMs, lastMs + aheadMs, block.worker, block.owner],
    );
    const [row] = await tx.query<{ reserved: number; at: number }>(
      `SELECT reserved_until AS reserved, ${databaseNow} AS at FROM id_workers WHERE worker = ? AND owner = ?`,
      [block.worker, block.owner],
    );
    return row && { block: { ...block, end: row.reserved }, databaseMs: row.at };
  });
}

/** Gives the worker number back, with what is left of the block. */
async function release(database: Database, block: Block, unused: number): Promise<void> {
  await database
    .execute(
      'UPDATE id_workers SET owner = NULL, lease_until = 0, reserved_until = ? WHERE worker = ? AND owner = ?',
      [unused, block.worker, block.owner],
    )
    .catch(() => undefined);
}
