import { randomBytes } from 'node:crypto';
import { createLogger } from '../../../lib/log.ts';
import { migrate } from '../../../services/repo/migrate.ts';
import { createDatabases, type Database, type Databases } from '../../../services/repo/storage/database.ts';
import { type Crossing, guardGroups } from '../../../services/repo/storage/group-guard.ts';
import { knownCrossings } from '../../../services/repo/storage/known-crossings.ts';
import { atEnd } from '../at-end.ts';

const silent = createLogger('test', 'silent');

/**
 * Creates an empty database for the test file, on the server of DATABASE_URL; it is dropped at the end of the file.
 */
export async function openEmptyDatabase(): Promise<string> {
  const server = process.env.DATABASE_URL;
  if (!server) throw new Error('DATABASE_URL is not set: integration tests need a database server');
  const log = createLogger('test', 'error');
  const name = `gochat_${randomBytes(8).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  atEnd(async () => {
    const databases = createDatabases({ url: server, log, connectionLimit: 1 });
    try {
      await databases.users.execute(`DROP DATABASE IF EXISTS ${name}`);
    } finally {
      await databases.close();
    }
  });
  return url.href;
}

/** Creates a database for the test file with the newest schema. */
export async function openMigratedDatabase(): Promise<string> {
  const url = await openEmptyDatabase();
  await migrate({ url, log: createLogger('test', 'error') });
  return url;
}

/**
 * Opens connections to a database; they are closed at the end of the file. What touches the tables of two groups at
 * once fails, or is passed to `onCrossing` if it is known to.
 */
export function connectDatabases(
  url: string,
  options: {
    connectionLimit?: number;
    log?: ReturnType<typeof createLogger>;
    onCrossing?: (crossing: Crossing) => void;
  } = {},
): Databases {
  const { onCrossing, ...rest } = options;
  const wrap = (database: Database) => guardGroups(database, knownCrossings, onCrossing);
  const databases = createDatabases({ url, log: silent, wrap, ...rest });
  atEnd(databases.close);
  return databases;
}
