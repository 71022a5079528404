import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
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
const migrations = readdirSync(committed).sort();
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
  const [first = '', second = '', third = ''] = splitStatements(
    await readFile(join(folder, '0001_initial/migration.sql'), 'utf8'),
  );
  assert.match(third, /^CREATE TABLE conversations /);
  // As if the third statement had been done and not noted: everything after it is missing.
  const tables = await databases.users.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name <> 'schema_migrations'",
  );
  for (const { name } of tables) await databases.users.execute(`DROP TABLE ${name}`);
  for (const statement of [first, second, third]) await databases.users.execute(statement);
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

test('users from before the suffixes are found by the parts of their names, and erased ones are not', async () => {
  const [old, older] = [
    await createTestDatabase({ migrated: false }),
    await mkdtemp(join(tmpdir(), 'gochat-old-')),
  ];
  const before = createDatabases({ url: old.url, log, connectionLimit: 1 });
  try {
    for (const version of migrations.slice(0, 2))
      await cp(join(committed, version), join(older, version), { recursive: true });
    await migrate({ url: old.url, log, folder: older });
    const longest = `Z${'y_.-0'.repeat(10)}`.slice(0, 50);
    await before.users.execute(
      `INSERT INTO users (id, username, display_name, avatar_url, is_guest, status, created_at, updated_at)
       VALUES ?`,
      [
        [
          [1, 'Bobo', '', '', false, 1, 1, 1],
          [2, 'guest-ab', '', '', true, 1, 1, 1],
          [3, 'deleted:3', '', '', false, 2, 1, 1],
          [4, longest, '', '', false, 1, 1, 1],
          [5, 'x', '', '', false, 1, 1, 1],
        ],
      ],
    );
    assert.deepEqual(await migrate({ url: old.url, log, folder: committed }), migrations.slice(2));
    const rows = await before.users.query<{ suffix: string; user_id: number }>(
      'SELECT suffix, user_id FROM username_suffixes ORDER BY user_id, CHAR_LENGTH(suffix) DESC',
    );
    const suffixes = (userId: number) =>
      rows.filter((row) => row.user_id === userId).map(({ suffix }) => suffix);
    assert.deepEqual(suffixes(1), ['obo', 'bo', 'o']);
    assert.deepEqual(suffixes(2), ['uest-ab', 'est-ab', 'st-ab', 't-ab', '-ab', 'ab', 'b']);
    assert.deepEqual(
      suffixes(4),
      Array.from({ length: 49 }, (_, index) => longest.slice(index + 1)),
    );
    assert.equal(rows.length, 3 + 7 + 49);
  } finally {
    await before.close();
    await old.drop();
    await rm(older, { recursive: true });
  }
});

test('a server that is not there is waited for, and not for ever', async () => {
  const started = Date.now();
  await assert.rejects(
    migrate({ url: 'mysql://nobody@127.0.0.1:1/gochat', log, waitMs: 400 }),
    /ECONNREFUSED/,
  );
  assert.ok(Date.now() - started >= 100);
});
