// Room: MySQL and Redis: statements, transactions, ids, change times, and the building of SQL text. Code here knows
// nothing of users, conversations or messages, but which group of databases each table belongs to.

import type { FieldPacket, Pool, PoolConnection } from 'mysql2';
import { retry } from '../../../lib/async/retry.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import {
  isConnectionLost,
  isInvalidValue,
  isLockConflict,
  isUnavailable,
  unavailable,
} from '../connections/database-errors.ts';
import {
  createGate,
  createSessionPool,
  type Gate,
  type PoolUse,
  statementSeconds,
} from '../connections/pool.ts';
import { type ServerWatch, watchServer } from '../connections/server-watch.ts';
import { formatSql, type SqlValue } from './sql.ts';

export { formatSql, isDuplicateKey, literal } from './sql.ts';
export type { SqlValue };

export type Sql = {
  /**
   * Returns the rows of a SELECT. `?` takes one value, a list for `IN (?)`, or a list of lists for `VALUES ?`. BIGINT
   * comes back as a number, BOOLEAN as 0 or 1, BINARY as a Buffer.
   */
  query<R>(sql: string, values?: readonly SqlValue[]): Promise<R[]>;
  /** Runs a statement that writes. `affectedRows` counts the rows that matched, whether they changed or not. */
  execute(
    sql: string,
    values?: readonly SqlValue[],
  ): Promise<{ affectedRows: number; insertId: number; changedRows: number }>;
  /**
   * Runs several statements in one round trip and returns one result per statement. Their values are already escaped
   * (`literal`, `formatSql`).
   */
  batch(statements: string): Promise<unknown[]>;
};

export type Transaction = Sql & {
  /**
   * Runs the last batch and COMMIT in one round trip. The transaction accepts no statement afterwards. The result of
   * `afterCommit`, which sees what others committed, too, comes last.
   */
  batchAndCommit(statements: string, afterCommit?: string): Promise<unknown[]>;
};

export type Database = Sql & {
  /**
   * Runs `work` in one READ COMMITTED transaction. BEGIN travels with the first statement. After a deadlock or a lock
   * wait timeout the transaction is rolled back and `work` runs again from the start, so `work` must keep no state
   * outside itself.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Missing where a process opens a database by itself, such as a command. */
  replicas?: ReplicaReads;
};

/**
 * All that a primary had committed at a time: a replica that has the token has all of it. It begins with the number of
 * the primary, so that tokens from before a promotion are recognised.
 */
export type ReadToken = string;

/** What can be read from a replica as well as from the primary. */
export type Reads = Pick<Sql, 'query' | 'batch'>;

export type ReplicaReads = {
  /** The statement that reads the token of all that is committed; undefined without replicas. */
  tokenStatement(): string | undefined;
  /** Reads from a replica that has the token or gets it in time, otherwise from the primary. */
  read(token: ReadToken): Reads;
};

/** The back-off is short because the holder of a lock usually commits within milliseconds. */
const lockConflictRetry = { tries: 6, firstMs: 4, longestMs: 160, isTransient: isLockConflict };

/** One database with its connection pool, which connects at the first statement. */
export function openDatabase(options: {
  url: string;
  log: Logger;
  /** The size of the pool. Further callers wait: at most `queueLimit` callers, each for at most 3 s. */
  connectionLimit?: number;
  queueLimit?: number;
  use?: PoolUse;
  /** Refuses callers at once while the server does not answer. Otherwise they wait as long as a statement may take. */
  watched?: boolean;
}): OpenDatabase {
  let url = options.url;
  let pool = createSessionPool(options);
  const left = new Set<Pool>();
  const watch = options.watched
    ? watchServer({ url, log: options.log, onDown: () => renewPool() })
    : undefined;
  /** Statements that are running end where they began. */
  function renewPool(): void {
    const before = pool;
    pool = createSessionPool({ ...options, url });
    left.add(before);
    setTimeout(() => {
      if (left.delete(before)) end(before).catch(() => undefined);
    }, leaveMs).unref();
  }
  const end = (some: Pool): Promise<void> =>
    new Promise((resolve, reject) => some.end((error) => (error ? reject(error) : resolve())));
  return {
    database: createDatabase(
      createGate(() => pool, { use: options.use, watch }),
      options.log,
      watch,
    ),
    move(next) {
      url = next;
      renewPool();
      watch?.move(url);
    },
    isDown: () => watch?.isDown() ?? false,
    async close() {
      watch?.stop();
      // A connection to a server that is gone cannot be ended, and need not be.
      await Promise.allSettled([pool, ...left].map(end));
      left.clear();
    },
  };
}

export type OpenDatabase = {
  database: Database;
  /** From the next call on, the database is at another address. What is running ends where it began. */
  move(url: string): void;
  /** True while the server does not answer; always false if it is not watched. */
  isDown(): boolean;
  close(): Promise<void>;
};

/** Longer than the statement that takes longest. */
const leaveMs = 15_000;

function createDatabase(withConnection: Gate, log: Logger, watch: ServerWatch | undefined): Database {
  /** A statement that writes is waited for: only its outcome tells whether the caches may be used again. */
  const reading: <T>(read: () => Promise<T>) => Promise<T> = watch ? watch.whileUp : (read) => read();
  const attempt = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> =>
    withConnection(async (connection) => {
      const { tx, finish, abort } = beginLazily(connection);
      try {
        const result = await work(tx);
        await finish();
        return result;
      } catch (error) {
        await abort();
        throw error;
      }
    });

  return {
    query: <R>(sql: string, values?: readonly SqlValue[]) =>
      withMappedErrors(log, () =>
        reading(() => withConnection((connection) => sqlOn(connection).query<R>(sql, values))),
      ),
    execute: (sql, values) =>
      withMappedErrors(log, () => withConnection((connection) => sqlOn(connection).execute(sql, values))),
    batch: (statements) =>
      withMappedErrors(log, () => {
        const run = () => withConnection((connection) => sqlOn(connection).batch(statements));
        return startsWithRead.test(statements) ? reading(run) : run();
      }),
    transaction: (work) => withMappedErrors(log, () => retry(() => attempt(work), lockConflictRetry)),
  };
}

/** Outside of transactions a batch either reads only or begins with a statement that writes. */
const startsWithRead = /^[\s(]*(?:WITH|SELECT)\b/;

/** A transaction that sends BEGIN together with its first statement. */
function beginLazily(connection: PoolConnection) {
  let state: 'new' | 'open' | 'closed' = 'new';
  const run = async (statements: string): Promise<unknown[]> => {
    if (state === 'closed') throw new Error('the transaction is over');
    if (state === 'open') return runAll(connection, statements);
    state = 'open';
    return (await runAll(connection, `START TRANSACTION;\n${statements}`)).slice(1);
  };
  const tx: Transaction = {
    ...sqlThrough(run),
    async batchAndCommit(statements, afterCommit) {
      const results = await run(`${statements};\nCOMMIT${afterCommit ? `;\n${afterCommit}` : ''}`);
      state = 'closed';
      results.splice(afterCommit ? -2 : -1, 1);
      return results;
    },
  };
  return {
    tx,
    async finish() {
      if (state === 'open') await runAll(connection, 'COMMIT');
      state = 'closed';
    },
    async abort() {
      if (state !== 'open') return;
      state = 'closed';
      try {
        await runAll(connection, 'ROLLBACK');
      } catch {
        connection.destroy();
      }
    },
  };
}

const sqlOn = (connection: PoolConnection): Sql => sqlThrough((statements) => runAll(connection, statements));

function sqlThrough(run: (statements: string) => Promise<unknown[]>): Sql {
  return {
    async query<R>(sql: string, values?: readonly SqlValue[]) {
      const [rows] = await run(formatSql(sql, values));
      return rows as R[];
    },
    async execute(sql, values) {
      const [header] = await run(formatSql(sql, values));
      const { affectedRows, insertId, changedRows } = header as {
        affectedRows: number;
        insertId: number;
        changedRows: number;
      };
      return { affectedRows, insertId, changedRows };
    },
    batch: run,
  };
}

async function runAll(connection: PoolConnection, statements: string): Promise<unknown[]> {
  try {
    const { result, fields } = await runQuery(connection, statements);
    return isListOfResults(fields) ? (result as unknown[]) : [result];
  } catch (error) {
    // The statement is removed from the error: it would put message texts and password hashes into the log.
    if (error instanceof Error) Reflect.deleteProperty(error, 'sql');
    // The interrupted statement may still be running on the server, so the connection can't be used again.
    if (isConnectionLost(error)) connection.destroy();
    throw error;
  }
}

/** Avoids mysql2's own promises: they capture a stack trace per call, which costs more than a short statement. */
const runQuery = (connection: PoolConnection, sql: string) =>
  new Promise<{ result: unknown; fields: unknown }>((resolve, reject) => {
    connection.query({ sql, timeout: (statementSeconds + 1) * 1000 }, (error, result, fields) => {
      if (error) reject(error);
      else resolve({ result, fields });
    });
  });

/** mysql2 does not wrap the result of a single statement in a list. Only `fields` tells the two forms apart. */
const isListOfResults = (fields: unknown): boolean =>
  Array.isArray(fields) && fields.some((field: FieldPacket | FieldPacket[] | undefined) => isResult(field));

const isResult = (field: unknown): boolean => field === undefined || Array.isArray(field);

async function withMappedErrors<T>(log: Logger, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isInvalidValue(error))
      throw new GoChatError('INVALID_ARGUMENT', 'A value is too long or out of range.');
    if (!isUnavailable(error)) throw error;
    log.warn({ err: error }, 'the database is not available');
    throw unavailable(error);
  }
}
