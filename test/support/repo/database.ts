import { randomBytes } from 'node:crypto';
import { createLogger } from '../../../lib/log.ts';
import { migrate } from '../../../services/repo/migrate.ts';
import {
  createDatabases,
  type DatabaseAddresses,
  type Databases,
  oneDatabase,
} from '../../../services/repo/storage/databases.ts';
import { guardGroups } from '../../../services/repo/storage/group-guard.ts';
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
    const databases = createDatabases({ addresses: oneDatabase(server), log, connectionLimit: 1 });
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
 * once fails.
 */
export function connectDatabases(
  url: string | DatabaseAddresses,
  options: {
    connectionLimit?: number;
    log?: ReturnType<typeof createLogger>;
  } = {},
): Databases {
  const databases = createDatabases({
    addresses: typeof url === 'string' ? oneDatabase(url) : url,
    log: silent,
    wrap: guardGroups,
    ...options,
  });
  atEnd(databases.close);
  return databases;
}
