import { randomBytes } from 'node:crypto';
import { createLogger } from '../../../lib/log.ts';
import { migrate } from '../../../services/repo/migrate.ts';
import { createDatabases } from '../../../services/repo/storage/database.ts';

export type TestDatabase = { url: string; drop(): Promise<void> };

/** A database of the test's own, with the newest schema, on the server that DATABASE_URL names. */
export async function createTestDatabase(options: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const server = process.env.DATABASE_URL;
  if (!server) throw new Error('DATABASE_URL is not set: integration tests need a database server');
  const log = createLogger('test', 'error');
  const name = `gochat_${randomBytes(8).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  if (options.migrated !== false) await migrate({ url: url.href, log });
  return {
    url: url.href,
    async drop() {
      const databases = createDatabases({ url: server, log, connectionLimit: 1 });
      try {
        await databases.users.execute(`DROP DATABASE IF EXISTS ${name}`);
      } finally {
        await databases.close();
      }
    },
  };
}
