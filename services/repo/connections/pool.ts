// Room: connections to database servers: their pools, their errors, and whether they answer. Code here knows neither
// tables nor transactions.

import { createPool, type Pool, type PoolConnection } from 'mysql2';
import { withDeadline } from '../../../lib/async/deadline.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { unavailable } from './database-errors.ts';
import type { ServerWatch } from './server-watch.ts';

/** The server ends a statement that takes longer. If it does not, the client closes the connection one second later. */
export const statementSeconds = 10;
/** How long a statement waits for a row's lock. After that its transaction is rolled back and run again. */
export const lockWaitSeconds = 4;
const acquireDeadlineMs = 3000;
/** READ COMMITTED locks only the rows that it changes. The sql_mode makes MySQL and MariaDB refuse the same values. */
const sessionSettings = [
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  `SET SESSION sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    innodb_lock_wait_timeout = ${lockWaitSeconds}
    /*M!100100 , max_statement_time = ${statementSeconds} */
    /*!80000 , max_execution_time = ${statementSeconds * 1000} */`,
].join(';\n');

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

/** A pool whose connections have the settings that all statements rely on. It connects at the first statement. */
export function createSessionPool(options: {
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

export type Gate = <T>(work: (connection: PoolConnection) => Promise<T>) => Promise<T>;

const unmeasured: PoolUse = { waiting: 0, inUse: 0, startHolding: () => () => undefined };

/** Lends connections to callers. */
export function createGate(
  poolNow: () => Pool,
  { use = unmeasured, watch }: { use: PoolUse | undefined; watch: ServerWatch | undefined },
): Gate {
  return async (work) => {
    if (watch?.isDown()) throw unavailable();
    use.waiting++;
    const connection = await acquire(poolNow()).finally(() => {
      use.waiting--;
    });
    use.inUse++;
    const end = use.startHolding();
    try {
      const result = await work(connection);
      watch?.answered();
      return result;
    } finally {
      end();
      use.inUse--;
      connection.release();
    }
  };
}

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
