import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger } from '../../../lib/log.ts';
import { followDatabasesFile } from '../../../services/repo/database-moves.ts';
import { oneDatabase } from '../../../services/repo/storage/databases.ts';
import { createPrisma } from '../../../services/repo/storage/prisma.ts';
import { atEnd } from '../../support/at-end.ts';
import { eventually } from '../../support/eventually.ts';
import { connectDatabases, openEmptyDatabase, openMigratedDatabase } from '../../support/repo/database.ts';

const log = createLogger('test', 'silent');
const folder = mkdtempSync(join(tmpdir(), 'gochat-moves-'));
atEnd(async () => rmSync(folder, { recursive: true }));
const path = join(folder, 'databases.json');
const [old, promoted, empty] = await Promise.all([
  openMigratedDatabase(),
  openMigratedDatabase(),
  openEmptyDatabase(),
]);

/** A block that only this database has, as a mark. */
async function mark(url: string, userId: number): Promise<void> {
  await connectDatabases(url).users.execute(
    'INSERT INTO user_blocks (user_id, blocked_id, created_at) VALUES (?, 1, 1)',
    [userId],
  );
}
await mark(old, 1);
await mark(promoted, 2);

function write(urls: { directory: string; accounts: string; conversations: string }): void {
  const file = {
    directory: { primary: urls.directory },
    accounts: [{ name: 'a1', primary: urls.accounts }],
    conversations: [{ name: 'c1', primary: urls.conversations }],
  };
  writeFileSync(path, JSON.stringify(file));
}
const all = (url: string) => ({ directory: url, accounts: url, conversations: url });

write(all(old));
const databases = connectDatabases(old);
const prisma = createPrisma({ url: old, log });
atEnd(prisma.close);
const moves = followDatabasesFile({ path, addresses: oneDatabase(old), databases, prisma, log });
atEnd(async () => moves.stop());

/** The marks of the databases in use, by either way. */
async function marks(): Promise<number[]> {
  const [row] = await databases.users.query<{ user: number }>('SELECT user_id AS user FROM user_blocks');
  const blocks = await prisma.read((client) => client.userBlock.findMany());
  return [row?.user ?? 0, ...blocks.map(({ userId }) => Number(userId))];
}

test('a file with a fault, or one that says what only moved rows could make true, changes nothing', async () => {
  writeFileSync(path, 'directory: {');
  assert.equal(await moves.reload(), false);
  write({ ...all(old), accounts: promoted });
  assert.equal(await moves.reload(), false);
  write(all(empty));
  assert.equal(await moves.reload(), false);
  assert.deepEqual(await marks(), [1, 1]);
  write(all(old));
  assert.equal(await moves.reload(), true);
  assert.deepEqual(await marks(), [1, 1]);
});

test('a database is found at its new address once the file says so, and what runs at the old one ends there', async () => {
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const running = databases.users.transaction(async (tx) => {
    await tx.query('SELECT 1');
    begun.resolve();
    await go.promise;
    return tx.query<{ user: number }>('SELECT user_id AS user FROM user_blocks');
  });
  await begun.promise;
  write(all(promoted));
  // Nobody tells: the change of the file is enough.
  await eventually(async () => (await marks()).every((user) => user === 2));
  go.resolve();
  assert.deepEqual(
    (await running).map(({ user }) => user),
    [1],
  );
  write(all(old));
  process.emit('SIGHUP');
  await eventually(async () => (await marks()).every((user) => user === 1));
});
