import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { retry } from '../../lib/async/retry.ts';
import { createLogger, type Logger } from '../../lib/log.ts';
import { errnoOf } from './connections/database-errors.ts';
import { openDatabase } from './storage/database.ts';
import { distinctUrls } from './storage/databases.ts';
import { readDatabaseAddresses } from './storage/databases-file.ts';
import { splitStatements } from './storage/sql-statements.ts';

const migrationsFolder = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

type Migration = { version: string; checksum: string; statements: string[] };

/**
 * Migrates a database to the newest version of the schema and creates the database if the account has the privilege. It
 * may run repeatedly and in several processes at once. After a crash it continues after the last statement that was
 * executed. It waits up to `waitMs` for the server. It throws if an applied migration has changed since. Returns the
 * versions that this call applied.
 */
export async function migrate(options: {
  url: string;
  log: Logger;
  waitMs?: number;
  folder?: string;
}): Promise<string[]> {
  const migrations = await readMigrations(options.folder ?? migrationsFolder);
  const url = new URL(options.url);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === '') throw new Error('the address names no database');
  url.pathname = '/';
  const connection = await connect(url.href, options.log, options.waitMs ?? 60_000);
  try {
    await useDatabase(connection, database);
    return await withLock(connection, database, () => applyAll(connection, migrations, options.log));
  } finally {
    await connection.end();
  }
}

/** The versions of the schema, oldest first. */
async function readVersions(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const versions = await readVersions(folder);
  return Promise.all(
    versions.map(async (version) => {
      const text = await readFile(`${folder}/${version}/migration.sql`, 'utf8');
      const checksum = createHash('sha256').update(text).digest('hex');
      return { version, checksum, statements: splitStatements(text) };
    }),
  );
}

const connect = (uri: string, log: Logger, waitMs: number): Promise<Connection> =>
  retry(() => createConnection({ uri, connectTimeout: 3000, charset: 'UTF8MB4_BIN' }), {
    firstMs: 100,
    longestMs: 2000,
    withinMs: waitMs,
    isTransient: isNotReadyYet,
    onPause: (error, pauseMs) =>
      log.info({ pauseMs, reason: (error as Error).message }, 'waiting for the database server'),
  });

/** True if the server may become reachable soon. 1040: too many connections. 1053: the server is shutting down. */
const isNotReadyYet = (error: unknown): boolean =>
  [1040, 1053].includes(errnoOf(error)) ||
  ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'PROTOCOL_CONNECTION_LOST'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );

async function useDatabase(connection: Connection, database: string): Promise<void> {
  const name = connection.escapeId(database);
  try {
    await connection.query(`CREATE DATABASE IF NOT EXISTS ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  } catch (error) {
    // 1044, 1045 and 1227: the account may not create databases. An administrator must have created this one.
    if (![1044, 1045, 1227].includes(errnoOf(error))) throw error;
  }
  await connection.query(`USE ${name}`);
}

async function withLock<T>(connection: Connection, database: string, work: () => Promise<T>): Promise<T> {
  // The name of a lock has at most 64 characters and is shared by all databases of the server.
  const name = `gochat-migrate-${createHash('sha256').update(database).digest('hex').slice(0, 32)}`;
  const [rows] = await connection.query<RowDataPacket[]>('SELECT GET_LOCK(?, 120) AS locked', [name]);
  if (rows[0]?.locked !== 1)
    throw new Error('another process holds the migration lock of this database for more than 2 minutes');
  try {
    return await work();
  } finally {
    await connection.query('SELECT RELEASE_LOCK(?)', [name]);
  }
}

async function applyAll(connection: Connection, migrations: Migration[], log: Logger): Promise<string[]> {
  await connection.query(`
    CREATE TABLE IF NOT EXISTS schema_migrations (
      version VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      -- Number of statements executed so far. DDL commits by itself, so a migration can stop in the middle.
      statements_done INT NOT NULL,
      -- Unix milliseconds; NULL until all statements are executed.
      applied_at BIGINT NULL,
      PRIMARY KEY (version)
    ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  const applied: string[] = [];
  for (const migration of migrations) {
    if (await apply(connection, migration)) {
      applied.push(migration.version);
      log.info({ version: migration.version }, 'migration applied');
    }
  }
  return applied;
}

/** Applies a migration, or the rest of it. Returns false if it was applied before. */
async function apply(connection: Connection, { version, checksum, statements }: Migration): Promise<boolean> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT checksum, statements_done, applied_at FROM schema_migrations WHERE version = ?',
    [version],
  );
  const found = rows[0];
  if (found && found.checksum !== checksum) {
    throw new Error(`migration ${version} was applied and has changed since: write a new one instead`);
  }
  if (found && found.applied_at !== null) return false;
  if (!found) {
    await connection.query('INSERT INTO schema_migrations VALUES (?, ?, 0, NULL)', [version, checksum]);
  }

  const done: number = found?.statements_done ?? 0;
  for (const [index, statement] of statements.entries()) {
    if (index < done) continue;
    await connection.beginTransaction();
    try {
      await connection.query(statement);
    } catch (error) {
      // A crash came after this DDL statement and before statements_done was updated.
      const repeated = found && index === done && isAlreadyThere(error);
      if (!repeated) throw error;
    }
    await connection.query('UPDATE schema_migrations SET statements_done = ? WHERE version = ?', [
      index + 1,
      version,
    ]);
    await connection.commit();
  }
  await connection.query('UPDATE schema_migrations SET applied_at = ? WHERE version = ?', [
    Date.now(),
    version,
  ]);
  return true;
}

/** 1050: table exists. 1051: unknown table. 1060: column exists. 1061: key exists. 1091: nothing to drop. */
const isAlreadyThere = (error: unknown): boolean => [1050, 1051, 1060, 1061, 1091].includes(errnoOf(error));

/** Throws a configuration error unless every migration of this version is applied. */
export async function requireMigrated(url: string, log: Logger): Promise<void> {
  const versions = await readVersions(migrationsFolder);
  const { database, close } = openDatabase({ url, log, connectionLimit: 1 });
  try {
    const rows = await database
      .query<{ version: string }>('SELECT version FROM schema_migrations WHERE applied_at IS NOT NULL')
      .catch((error: unknown) => {
        // 1146: there is no such table.
        if (errnoOf(error) === 1146) return [];
        throw error;
      });
    const applied = new Set(rows.map(({ version }) => version));
    if (versions.every((version) => applied.has(version))) return;
    throw new Error(
      `configuration: the database ${nameOf(url)} is not migrated: run node services/repo/migrate.ts`,
    );
  } finally {
    await close();
  }
}

/** The name of the database at an address, for a log. */
const nameOf = (url: string): string => new URL(url).pathname.slice(1);

if (import.meta.main) {
  const log = createLogger('repo', process.env.LOG_LEVEL);
  try {
    const { DATABASE_URL = '', DATABASES_FILE = '' } = process.env;
    const addresses = readDatabaseAddresses({ DATABASE_URL, DATABASES_FILE });
    for (const url of distinctUrls(addresses)) {
      const applied = await migrate({ url, log });
      log.info({ database: nameOf(url), applied }, 'the database is up to date');
    }
  } catch (error) {
    log.fatal({ err: error }, 'cannot migrate the database');
    process.exitCode = 1;
  }
}
