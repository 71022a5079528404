import { randomUUID } from 'node:crypto';
import { withDeadline } from '../../../lib/async/deadline.ts';
import { codeOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { unavailable } from '../connections/database-errors.ts';
import { databaseTime } from './change-time.ts';
import type { Database, OpenDatabase, Reads, ReadToken, ReplicaReads } from './database.ts';
import { formatSql, literal, type SqlValue } from './sql.ts';

/** How far a replica may lag, and how long a read waits for one to catch up, in milliseconds. */
export type ReadSettings = { maxLagMs: number; tokenWaitMs: number };

export type ReadFrom = 'replica' | 'late' | 'failed';

export type Replicas = ReplicaReads & {
  /** Looks at all replicas. Throws a configuration error if one is a replica of another database. */
  check(): Promise<void>;
  /** What the operator should know, one sentence each. */
  warnings(): Promise<string[]>;
  /** From now on these are the replicas. */
  move(urls: readonly string[]): void;
  close(): Promise<void>;
};

type Replica = OpenDatabase & { url: string; isFresh: boolean; isForeign: boolean };
type Beat = { source: string; at: number; serverId: number; isMariadb: boolean; readAt: number };

const longestBeatMs = 200;
/** A replica that does not answer leaves within a second: a pause and this. */
const lookMs = 500;

/** Reads of one database that may go to its replicas. */
export function createReplicas(deps: {
  /** The database's role, for logs. */
  role: string;
  primary: Database;
  urls: readonly string[];
  open(url: string): OpenDatabase;
  settings: ReadSettings;
  onRead(from: ReadFrom): void;
  log: Logger;
}): Replicas {
  const { role, primary, settings, log } = deps;
  let replicas = deps.urls.map(opened);
  let beat: Beat | undefined;
  let next = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function opened(url: string): Replica {
    return { ...deps.open(url), url, isFresh: false, isForeign: false };
  }

  /** Notes the time in the primary, which its replicas get. Several processes may do it. */
  async function beatPrimary(): Promise<Beat> {
    const [, rows] = (await primary.batch(
      [
        // Index: the primary key.
        formatSql(
          `INSERT INTO replica_heartbeats (id, source, at) VALUES (1, ?, ${databaseTime})
           ON DUPLICATE KEY UPDATE at = GREATEST(at, VALUES(at))`,
          [randomUUID()],
        ),
        `SELECT source, at, @@server_id AS serverId, VERSION() AS version FROM replica_heartbeats WHERE id = 1`,
      ].join(';\n'),
    )) as [unknown, { source: string; at: number; serverId: number; version: string }[]];
    const [row] = rows;
    if (!row) throw unavailable();
    const { source, at, serverId, version } = row;
    return { source, at, serverId, isMariadb: /mariadb/i.test(version), readAt: performance.now() };
  }

  async function look(replica: Replica): Promise<void> {
    try {
      const [row] = await withDeadline(
        replica.database.query<{ source: string; at: number }>(
          'SELECT source, at FROM replica_heartbeats WHERE id = 1',
        ),
        lookMs,
        () => {
          throw unavailable();
        },
      );
      replica.isForeign = row !== undefined && beat !== undefined && row.source !== beat.source;
      const lagMs = row && beat ? beat.at + performance.now() - beat.readAt - row.at : undefined;
      note(replica, lagMs !== undefined && lagMs <= settings.maxLagMs && !replica.isForeign, { lagMs });
    } catch (error) {
      note(replica, false, { err: error });
    }
  }

  function note(replica: Replica, isFresh: boolean, why: object): void {
    if (replica.isFresh === isFresh) return;
    replica.isFresh = isFresh;
    if (isFresh) log.info({ role }, 'a replica is read from now on');
    else
      log.warn({ role, ...why }, 'a replica lags or does not answer: it is not read until it has caught up');
  }

  async function round(): Promise<void> {
    if (replicas.length === 0) return;
    // Without a new heartbeat the lag grows from the last one.
    beat = await withDeadline(beatPrimary(), lookMs, () => beat).catch((error: unknown) => {
      if (codeOf(error) !== 'UNAVAILABLE')
        log.warn({ err: error, role }, 'cannot measure the lag of replicas');
      return beat;
    });
    await Promise.all(replicas.map(look));
  }

  let running = false;
  const run = async (): Promise<void> => {
    await round();
    running = !closed && replicas.length > 0;
    if (running) timer = setTimeout(run, Math.min(longestBeatMs, settings.maxLagMs / 4)).unref();
  };

  function start(): void {
    if (running || replicas.length === 0) return;
    running = true;
    void run();
  }
  start();

  function pick(token: ReadToken): Replica | undefined {
    if (token.slice(0, token.indexOf('|')) !== String(beat?.serverId)) return undefined;
    const fresh = replicas.filter(({ isFresh }) => isFresh);
    next = (next + 1) % Math.max(fresh.length, 1);
    return fresh[next];
  }

  /** Waits for the token and reads, in one round trip. Undefined if the replica has not got the token in time. */
  async function readThere(replica: Replica, token: ReadToken, statements: string) {
    const position = literal(token.slice(token.indexOf('|') + 1));
    const wait = beat?.isMariadb ? 'MASTER_GTID_WAIT' : 'WAIT_FOR_EXECUTED_GTID_SET';
    const [waited, ...results] = (await replica.database.batch(
      `SELECT ${wait}(${position}, ${settings.tokenWaitMs / 1000}) AS late;\n${statements}`,
    )) as [{ late: number }[], ...unknown[]];
    return waited[0]?.late === 0 ? results : undefined;
  }

  async function batch(token: ReadToken, statements: string): Promise<unknown[]> {
    const replica = pick(token);
    if (!replica) return primary.batch(statements);
    try {
      const results = await readThere(replica, token, statements);
      deps.onRead(results ? 'replica' : 'late');
      if (results) return results;
    } catch (error) {
      if (codeOf(error) !== 'UNAVAILABLE') throw error;
      deps.onRead('failed');
      note(replica, false, { err: error });
    }
    return primary.batch(statements);
  }

  return {
    tokenStatement() {
      if (replicas.length === 0 || !beat) return undefined;
      const position = beat.isMariadb ? '@@gtid_binlog_pos' : "REPLACE(@@GLOBAL.gtid_executed, '\\n', '')";
      // Without a binary log there is no position, and an empty one would mean that nothing is to be waited for.
      return `SELECT IF(${position} = '', NULL, CONCAT(@@server_id, '|', ${position})) AS token`;
    },
    read: (token) => ({
      async query<R>(sql: string, values?: readonly SqlValue[]) {
        const [rows] = await batch(token, formatSql(sql, values));
        return rows as R[];
      },
      batch: (statements) => batch(token, statements),
    }),
    async check() {
      await round();
      if (!replicas.some(({ isForeign }) => isForeign)) return;
      throw new Error(`configuration: a replica of ${role} has the data of another database`);
    },
    async warnings() {
      if (replicas.length === 0 || (await isSemiSynchronous(primary))) return [];
      return [
        `A promotion of a replica of ${role} can lose acknowledged messages: its primary does not wait for replicas (semi-synchronous, AFTER_SYNC, without a time limit).`,
      ];
    },
    move(urls) {
      const before = replicas;
      replicas = urls.map((url) => before.find((replica) => replica.url === url) ?? opened(url));
      for (const replica of before) if (!replicas.includes(replica)) replica.close().catch(() => undefined);
      start();
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await Promise.all(replicas.map((replica) => replica.close()));
    },
  };
}

/** A primary that waits less long than this for a replica goes on without it, and is asynchronous then. */
const noLimitMs = 86_400_000;

/** True if every commit waits for a replica before anybody can see it. MySQL calls the primary "source", MariaDB "master". */
async function isSemiSynchronous(primary: Database): Promise<boolean> {
  const rows = await primary.query<{ Variable_name: string; Value: string }>(
    "SHOW GLOBAL VARIABLES LIKE 'rpl\\_semi\\_sync\\_%'",
  );
  const settings = new Map(
    rows.map(({ Variable_name, Value }) => [
      Variable_name.replace(/^rpl_semi_sync_(master|source)_/, ''),
      Value,
    ]),
  );
  return (
    settings.get('enabled') === 'ON' &&
    settings.get('wait_point') === 'AFTER_SYNC' &&
    Number(settings.get('timeout')) >= noLimitMs
  );
}

/** Reads from a replica that has the token, or, without a token, from the primary. */
export const readerOf = (database: Database, token: ReadToken | undefined): Reads =>
  token === undefined || !database.replicas ? database : database.replicas.read(token);

/** Reads rows from the primary, and the token of all that they show: undefined without replicas. */
export async function queryWithToken<R>(
  database: Database,
  sql: string,
  values?: readonly SqlValue[],
): Promise<{ rows: R[]; token: ReadToken | undefined }> {
  const tokenStatement = database.replicas?.tokenStatement();
  if (!tokenStatement) return { rows: await database.query<R>(sql, values), token: undefined };
  const [rows, tokens] = await database.batch(`${formatSql(sql, values)};\n${tokenStatement}`);
  return { rows: rows as R[], token: tokenOf(tokens) };
}

/** The token in the result of `tokenStatement`. */
export const tokenOf = (result: unknown): ReadToken | undefined =>
  (result as { token: string | null }[])[0]?.token ?? undefined;
