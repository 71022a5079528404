// Room: connections to MySQL and Redis, transactions, ids, change times, and the building of SQL text. Code here knows
// nothing of users, conversations or messages, but which group of databases each table belongs to.

import { createPool, type FieldPacket, type Pool, type PoolConnection } from 'mysql2';
import { withDeadline } from '../../../lib/async/deadline.ts';
import { retry } from '../../../lib/async/retry.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { lockWaitSeconds } from './change-time.ts';
import { isConnectionLost, isInvalidValue, isLockConflict, isUnavailable } from './database-errors.ts';
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
  /** Runs the last batch and COMMIT in one round trip. The transaction accepts no statement afterwards. */
  batchAndCommit(statements: string): Promise<unknown[]>;
};

export type Database = Sql & {
  /**
   * Runs `work` in one READ COMMITTED transaction. BEGIN travels with the first statement. After a deadlock or a lock
   * wait timeout the transaction is rolled back and `work` runs again from the start, so `work` must keep no state
   * outside itself.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
};

/** The server ends a statement that takes longer. If it does not, the client closes the connection one second later. */
const statementSeconds = 10;
const acquireDeadlineMs = 3000;
/** The back-off is short because the holder of a lock usually commits within milliseconds. */
const lockConflictRetry = { tries: 6, firstMs: 4, longestMs: 160, isTransient: isLockConflict };

/** READ COMMITTED locks only the rows that it changes. The sql_mode makes MySQL and MariaDB refuse the same values. */
const sessionSettings = [
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  `SET SESSION sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    innodb_lock_wait_timeout = ${lockWaitSeconds}
    /*M!100100 , max_statement_time = ${statementSeconds} */
    /*!80000 , max_execution_time = ${statementSeconds * 1000} */`,
].join(';\n');

/** One database with its connection pool, which connects at the first statement. */
export function openDatabase(options: {
  url: string;
  log: Logger;
  /** The size of the pool. Further callers wait: at most `queueLimit` callers, each for at most 3 s. */
  connectionLimit?: number;
  queueLimit?: number;
  use?: PoolUse;
}): OpenDatabase {
  let pool = createSessionPool(options);
  const left = new Set<Pool>();
  const end = (some: Pool): Promise<void> =>
    new Promise((resolve, reject) => some.end((error) => (error ? reject(error) : resolve())));
  return {
    database: createDatabase(
      createGate(() => pool, options.use),
      options.log,
    ),
    move(url) {
      const before = pool;
      pool = createSessionPool({ ...options, url });
      left.add(before);
      setTimeout(() => {
        if (left.delete(before)) end(before).catch(() => undefined);
      }, leaveMs).unref();
    },
    async close() {
      await Promise.all([pool, ...left].map(end));
      left.clear();
    },
  };
}

export type OpenDatabase = {
  database: Database;
  /** From the next call on, the database is at another address. What is running ends where it began. */
  move(url: string): void;
  close(): Promise<void>;
};

/** Longer than the statement that takes longest. */
const leaveMs = 15_000;

/** How the connections of all pools of a process are used. */
export type PoolUse = {
  waiting: number;
  inUse: number;
  /** Call it when a connection is lent, and what it returns when it comes back. */
  startHolding(): () => void;
};

/** Measures how many connections are in use, for how long, and how many callers wait. */
export function measurePools(metrics: Metrics): PoolUse {
  const held = metrics.latency(
    'gochat_db_hold_seconds',
    'Time that a statement or transaction holds a connection.',
  );
  const use: PoolUse = { waiting: 0, inUse: 0, startHolding: () => held.startTimer() };
  metrics.observed('gochat_db_waiting', 'Callers that wait for a database connection.', () => use.waiting);
  metrics.observed('gochat_db_connections_in_use', 'Database connections in use.', () => use.inUse);
  return use;
}

function createSessionPool(options: {
  url: string;
  log: Logger;
  connectionLimit?: number;
  queueLimit?: number;
}): Pool {
  const pool = createPool({
    uri: options.url,
    connectionLimit: options.connectionLimit ?? 16,
    queueLimit: options.queueLimit ?? 2000,
    connectTimeout: 3000,
    enableKeepAlive: true,
    keepAliveInitialDelay: 10_000,
    charset: 'UTF8MB4_BIN',
    decimalNumbers: true,
    jsonStrings: true,
    multipleStatements: true,
    // formatSql puts the values in, and only if there are any. mysql2 would search every statement for `?`.
    queryFormat: (sql: string) => sql,
  });
  pool.on('connection', (connection) => {
    // The commands of a connection run in order, so these settings apply before the caller's first statement.
    connection.query(sessionSettings, (error) => {
      if (!error) return;
      options.log.error({ err: error }, 'cannot set up a database connection');
      connection.destroy();
    });
  });
  return pool;
}

type Gate = <T>(work: (connection: PoolConnection) => Promise<T>) => Promise<T>;

const unmeasured: PoolUse = { waiting: 0, inUse: 0, startHolding: () => () => undefined };

/** Lends connections to callers. */
function createGate(poolNow: () => Pool, use: PoolUse = unmeasured): Gate {
  return async (work) => {
    use.waiting++;
    const connection = await acquire(poolNow()).finally(() => {
      use.waiting--;
    });
    use.inUse++;
    const end = use.startHolding();
    try {
      return await work(connection);
    } finally {
      end();
      use.inUse--;
      connection.release();
    }
  };
}

function createDatabase(withConnection: Gate, log: Logger): Database {
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
      withMappedErrors(log, () => withConnection((connection) => sqlOn(connection).query<R>(sql, values))),
    execute: (sql, values) =>
      withMappedErrors(log, () => withConnection((connection) => sqlOn(connection).execute(sql, values))),
    batch: (statements) =>
      withMappedErrors(log, () => withConnection((connection) => sqlOn(connection).batch(statements))),
    transaction: (work) => withMappedErrors(log, () => retry(() => attempt(work), lockConflictRetry)),
  };
}

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
    async batchAndCommit(statements) {
      const results = await run(`${statements};\nCOMMIT`);
      state = 'closed';
      return results.slice(0, -1);
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

/** Takes a connection from the pool. Throws UNAVAILABLE after waiting 3 s for one. */
function acquire(pool: Pool): Promise<PoolConnection> {
  const wanted = new Promise<PoolConnection>((resolve, reject) => {
    pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
  });
  return withDeadline(wanted, acquireDeadlineMs, () => {
    wanted.then(
      (connection) => connection.release(),
      () => undefined,
    );
    throw unavailable(new Error('no database connection became free'));
  });
}

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

function unavailable(cause: unknown): GoChatError {
  const error = new GoChatError('UNAVAILABLE', 'The database is not reachable right now. Try again.');
  error.cause = cause;
  return error;
}
