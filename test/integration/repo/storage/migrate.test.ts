import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { countedAddress } from '../../../../lib/client-address.ts';
import { createLogger } from '../../../../lib/log.ts';
import { migrate } from '../../../../services/repo/migrate.ts';
import { splitStatements } from '../../../../services/repo/storage/sql-statements.ts';
import { atEnd } from '../../../support/at-end.ts';
import { connectDatabases, openEmptyDatabase } from '../../../support/repo/database.ts';

const log = createLogger('test', 'silent');
const committed = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url));
const migrations = readdirSync(committed).sort();
const url = await openEmptyDatabase();
const databases = connectDatabases(url, { connectionLimit: 2 });
const folder = await copyMigrations(migrations);

/** A folder with copies of these migrations, until the file's end. */
async function copyMigrations(versions: readonly string[]): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'gochat-migrations-'));
  atEnd(() => rm(copy, { recursive: true }));
  for (const version of versions) {
    await cp(join(committed, version), join(copy, version), { recursive: true });
  }
  return copy;
}

/** A database as these migrations left it, and the rest of them. */
async function openOldDatabase(versions: readonly string[]) {
  const old = await openEmptyDatabase();
  await migrate({ url: old, log, folder: await copyMigrations(versions) });
  return {
    sql: connectDatabases(old, { connectionLimit: 1 }).users,
    upgrade: () => migrate({ url: old, log, folder: committed }),
  };
}

test('two concurrent migrations of an empty database apply everything once', async () => {
  const applied = await Promise.all([migrate({ url, log, folder }), migrate({ url, log, folder })]);
  assert.deepEqual(applied.flat(), migrations);
  const rows = await databases.users.query<{ count: number }>('SELECT COUNT(*) AS count FROM id_workers');
  assert.deepEqual(rows, [{ count: 32 }]);
});

test('a second run changes nothing', async () => {
  assert.deepEqual(await migrate({ url, log, folder }), []);
});

test('an interrupted migration is continued', async () => {
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

  assert.deepEqual(await migrate({ url, log, folder }), migrations);
  const rows = await databases.users.query<{ id: number }>(
    'SELECT id FROM conversations JOIN conversation_heads ON conversation_id = id',
  );
  assert.deepEqual(rows, [{ id: 1 }]);
});

test('a migration that was applied and has changed since is refused', async () => {
  const file = join(folder, '0001_initial/migration.sql');
  await writeFile(file, `${await readFile(file, 'utf8')}-- changed\n`);
  await assert.rejects(migrate({ url, log, folder }), /0001_initial was applied and has changed/);
});

test('after the migration, existing users are found by parts of their names, and erased ones are not', async () => {
  const old = await openOldDatabase(migrations.slice(0, 2));
  const longest = `Z${'y_.-0'.repeat(10)}`.slice(0, 50);
  await old.sql.execute(
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
  assert.deepEqual(await old.upgrade(), migrations.slice(2));
  const rows = await old.sql.query<{ suffix: string; user_id: number }>(
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
});

test('after the migration, conversations of former members are known, and recalled and dissolved messages have no text', async () => {
  const old = await openOldDatabase(migrations.filter((name) => name < '0004'));
  const message = (conversation: number, seq: number, sender: number, deleted = 0) => [
    conversation,
    seq,
    10 * conversation + seq,
    sender,
    1,
    'text',
    Buffer.from(`m${seq}`),
    -1,
    -1,
    deleted,
    1,
  ];
  await old.sql.execute(
    `INSERT INTO messages (conversation_id, seq_id, id, sender_id, message_type, content, client_msg_id,
       source_partition, source_offset, deleted, created_at) VALUES ?`,
    [[message(7, 1, 1), message(7, 2, 1, 1), message(7, 3, 2), message(8, 1, 1)]],
  );
  await old.sql.execute('INSERT INTO message_recalls VALUES (7, 2, 72, 1, 1)');
  await old.sql.execute(
    `INSERT INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at) VALUES (2, 7, 3, 9)`,
  );
  await old.sql.execute(
    `INSERT INTO conversations (id, type, status, name, avatar_url, description, announcement, owner_id,
       member_count, invite_by, mute_all, max_members, created_at, updated_at)
     VALUES (7, 2, 1, 'open', '', 'd', 'a', 1, 1, 'admins', 0, 9, 1, 1), (8, 2, 2, 'over', 'u', 'd', 'a', 1, 0, 'admins', 0, 9, 1, 1)`,
  );
  await old.upgrade();
  assert.deepEqual(
    await old.sql.query(
      `SELECT user_id AS u, conversation_id AS c, last_read_seq_id AS seq FROM user_read_pointers ORDER BY u, c`,
    ),
    [
      { u: 1, c: 7, seq: 0 },
      { u: 1, c: 8, seq: 0 },
      { u: 2, c: 7, seq: 3 },
    ],
  );
  const texts = await old.sql.query<{ content: string }>('SELECT content FROM messages ORDER BY id');
  assert.deepEqual(
    texts.map(({ content }) => content),
    ['text', '', 'text', 'text'],
  );
  assert.deepEqual(await old.sql.query('SELECT conversation_id, block, recalls FROM message_recall_counts'), [
    { conversation_id: 7, block: 0, recalls: 1 },
  ]);
  const groups = await old.sql.query<{ texts: string }>(
    'SELECT CONCAT(name, avatar_url, description, announcement) AS texts FROM conversations WHERE id > 1 ORDER BY id',
  );
  assert.deepEqual(
    groups.map(({ texts: text }) => text),
    ['openda', ''],
  );
});

test('after the migration, the recent sign-in addresses of accounts with a password are known, in their counted form', async () => {
  const old = await openOldDatabase(migrations.filter((name) => name < '0004'));
  await old.sql.execute(
    `INSERT INTO users (id, username, password_hash, display_name, avatar_url, is_guest, status, created_at, updated_at)
     VALUES (1, 'ann', 'h', '', '', FALSE, 1, 1, 1), (2, 'guest-b', NULL, '', '', TRUE, 1, 1, 1)`,
  );
  const lately = Date.now() - 86_400_000;
  const addresses = [
    '192.0.2.7',
    '::ffff:192.0.2.8',
    '2001:db8:0:12::1',
    'FE80::1%eth0',
    '::1',
    '2001:db8::A:1:2:3:4',
  ];
  const sessions = [
    ...addresses.map((address, index) => [1, address, lately + index]),
    [1, '192.0.2.7', lately - 5],
    [1, '192.0.2.99', lately - 30 * 86_400_000],
    [1, '', lately],
    [2, '192.0.2.50', lately],
  ].map(([userId = 0, address = '', at = 0], index) => [
    `s-${index}`,
    userId,
    Buffer.alloc(32),
    '',
    address,
    at,
    at,
    at,
  ]);
  await old.sql.execute(
    `INSERT INTO sessions (id, user_id, refresh_token_hash, user_agent, address, created_at, last_used_at, expires_at)
     VALUES ?`,
    [sessions],
  );
  await old.upgrade();
  const known = await old.sql.query<{ user_id: number; address: string; at: number }>(
    'SELECT user_id, address, last_sign_in_at AS at FROM sign_in_addresses ORDER BY last_sign_in_at',
  );
  assert.deepEqual(
    known,
    addresses.map((address, index) => ({
      user_id: 1,
      address: countedAddress(address),
      at: lately + index,
    })),
  );
});

test('the migration waits for a missing server, for a limited time', async () => {
  const started = Date.now();
  await assert.rejects(
    migrate({ url: 'mysql://nobody@127.0.0.1:1/gochat', log, waitMs: 400 }),
    /ECONNREFUSED/,
  );
  assert.ok(Date.now() - started >= 100);
});
