import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLogger } from '../../lib/log.ts';
import { createDatabases, type Databases } from '../../services/repo/database.ts';
import { migrate } from '../../services/repo/migrate.ts';
import { splitStatements } from '../../services/repo/sql-statements.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const log = createLogger('test', 'silent');
const committed = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));
const migrations = ['0001_initial', '0002_fanout_from_seq'];
let database: TestDatabase;
let databases: Databases;
let folder: string;

before(async () => {
  database = await createTestDatabase({ migrated: false });
  databases = createDatabases({ url: database.url, log, connectionLimit: 2 });
  folder = await mkdtemp(join(tmpdir(), 'gochat-migrations-'));
  await cp(committed, folder, { recursive: true });
});

after(async () => {
  await databases.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

test('two processes that migrate an empty server at once apply everything once', async () => {
  const applied = await Promise.all([
    migrate({ url: database.url, log, folder }),
    migrate({ url: database.url, log, folder }),
  ]);
  assert.deepEqual(applied.flat(), migrations);
  const rows = await databases.users.query<{ count: number }>('SELECT COUNT(*) AS count FROM id_workers');
  assert.deepEqual(rows, [{ count: 32 }]);
});

test('a second run changes nothing', async () => {
  assert.deepEqual(await migrate({ url: database.url, log, folder }), []);
});

test('a run that died in the middle of a migration is continued', async () => {
  const [, , third] = splitStatements(await readFile(join(folder, '0001_initial/migration.sql'), 'utf8'));
  assert.match(third ?? '', /^CREATE TABLE conversations /);
  // As if the third statement had been done and not noted: everything after it is missing.
  const tables = await databases.users.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name NOT IN ('schema_migrations', 'users', 'sessions', 'conversations')",
  );
  for (const { name } of tables) await databases.users.execute(`DROP TABLE ${name}`);
  await databases.users.execute('DELETE FROM conversations');
  await databases.users.execute("DELETE FROM schema_migrations WHERE version <> '0001_initial'");
  await databases.users.execute('UPDATE schema_migrations SET statements_done = 2, applied_at = NULL');

  assert.deepEqual(await migrate({ url: database.url, log, folder }), migrations);
  const rows = await databases.users.query<{ id: number }>(
    'SELECT id FROM conversations JOIN conversation_heads ON conversation_id = id',
  );
  assert.deepEqual(rows, [{ id: 1 }]);
});

test('a migration that was applied and has changed since is refused', async () => {
  const file = join(folder, '0001_initial/migration.sql');
  await writeFile(file, `${await readFile(file, 'utf8')}-- changed\n`);
  await assert.rejects(
    migrate({ url: database.url, log, folder }),
    /0001_initial was applied and has changed/,
  );
});

test('a server that is not there is waited for, and not for ever', async () => {
  const started = Date.now();
  await assert.rejects(
    migrate({ url: 'mysql://nobody@127.0.0.1:1/gochat', log, waitMs: 400 }),
    /ECONNREFUSED/,
  );
  assert.ok(Date.now() - started >= 100);
});
