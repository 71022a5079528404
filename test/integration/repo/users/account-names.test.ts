import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../../../lib/metrics.ts';
import { startProjectionWorker } from '../../../../services/repo/projections/projections.ts';
import type { Database } from '../../../../services/repo/storage/database.ts';
import type { Databases } from '../../../../services/repo/storage/databases.ts';
import { createAccountNames, nameProjection } from '../../../../services/repo/users/account-names.ts';
import { createWorldRoom, worldProjection } from '../../../../services/repo/users/world-room.ts';
import { atEnd } from '../../../support/at-end.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { password } from '../../../support/repo/accounts-repo.ts';
import { createConversationParts } from '../../../support/repo/conversation-parts.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';
import { createUserParts } from '../../../support/repo/user-parts.ts';

const { parts } = await openRepoParts();
const { databases, ids } = parts;
const users = createUserParts(parts);
const repo = createConversationParts(parts);
const names = createAccountNames(parts);
const joinWorld = createWorldRoom(parts);

const worker = startProjectionWorker({
  databases: [databases.directory],
  writers: {
    [nameProjection]: (userId) => names.settle(Number(userId)),
    [worldProjection]: (userId) => joinWorld(Number(userId)),
  },
  log: parts.log,
  metrics: createMetrics('test'),
});
atEnd(worker.stop);

const register = async (username: string, by = users): Promise<string> =>
  (await by.createUser({ username, password, avatarUrl: '', isGuest: false })).user?.id ?? '';

/** The account takes a name, as in the transaction of a rename. */
const take = (userId: number, username: string) =>
  databases.users.execute('UPDATE users SET username = ? WHERE id = ?', [username, userId]);

/** The name's row: whose it is and whether it is only reserved. */
async function rowOf(username: string): Promise<{ userId: number; reserved: boolean } | undefined> {
  const [row] = await databases.directory.query<{ user_id: number; reserved_until: number }>(
    'SELECT user_id, reserved_until FROM usernames WHERE username = ?',
    [username],
  );
  return row && { userId: row.user_id, reserved: row.reserved_until > 0 };
}

/** As if the time had passed in which a process that died could have gone on. */
async function takeOver(): Promise<void> {
  await databases.directory.batch(
    'UPDATE usernames SET reserved_until = 1 WHERE reserved_until > 0; UPDATE pending_projections SET due_at = 0',
  );
  await worker.writeDue();
}

const away = (database: Database): Database => ({
  ...database,
  transaction: () => Promise.reject(new Error('away')),
});

test('a name is one account’s, whoever asks for it at the same time and in whatever case', async () => {
  const tries = await Promise.allSettled(['Nora', 'nora', 'NORA'].map((name) => register(name)));
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
  const row = await rowOf('nora');
  assert.equal(row?.reserved, false);
  assert.ok(tries.some((one) => one.status === 'fulfilled' && one.value === String(row?.userId)));
});

test('a name that was reserved for an account that was never made is free again', async () => {
  await names.reserve(ids.nextId(), 'ghost');
  await refusedWith(register('ghost'), 'USERNAME_TAKEN');
  await takeOver();
  assert.equal(await rowOf('ghost'), undefined);
  await register('Ghost');
});

test('whoever asks for a name whose reservation is over gets it without waiting for anybody', async () => {
  await names.reserve(ids.nextId(), 'phantom');
  await databases.directory.execute("UPDATE usernames SET reserved_until = 1 WHERE username = 'phantom'");
  await register('phantom');
});

test('the name of an account whose registration died before it was confirmed stays its own', async () => {
  const cutOff = createUserParts({
    ...parts,
    databases: { ...databases, messagesOf: () => away(databases.users) },
  });
  const id = await register('otto', cutOff);
  await databases.directory.execute("UPDATE usernames SET reserved_until = 1 WHERE username = 'otto'");
  await refusedWith(register('otto'), 'USERNAME_TAKEN');
  assert.deepEqual(await rowOf('otto'), { userId: Number(id), reserved: false });
});

test('an account that could not reach the world room at once joins it later, once', async () => {
  const cutOff = createUserParts({
    ...parts,
    databases: { ...databases, messagesOf: () => away(databases.users) },
  });
  const countOf = async () =>
    (await repo.see(await register(`n${ids.nextId()}`), '1')).conversation?.memberCount ?? 0;
  await takeOver();
  const before = await countOf();
  const id = await register('wanda', cutOff);
  await takeOver();
  await joinWorld(Number(id));
  assert.equal((await repo.see(id, '1')).userMembership?.role, 1);
  assert.equal(await countOf(), before + 2);
});

test('a renaming that died half-way leaves the account exactly the name that it has', async () => {
  const id = Number(await register('before'));
  await names.reserve(id, 'after');
  await take(id, 'after');
  await takeOver();
  assert.equal(await rowOf('before'), undefined);
  assert.deepEqual(await rowOf('after'), { userId: id, reserved: false });
  await names.reserve(id, 'never');
  await takeOver();
  assert.equal(await rowOf('never'), undefined);
  assert.deepEqual(await rowOf('after'), { userId: id, reserved: false });
  assert.deepEqual(
    (await users.searchUsersByUsername({ query: 'fte', limit: 5 })).users.map(({ username }) => username),
    ['after'],
  );
});

test('a settling that a renaming overtakes undoes nothing', async () => {
  const id = Number(await register('slow'));
  let isRenamed = false;
  const overtaken: Databases = {
    ...databases,
    directory: {
      ...databases.directory,
      async transaction(work) {
        if (!isRenamed) {
          isRenamed = true;
          await names.reserve(id, 'fast');
          await take(id, 'fast');
          await names.settle(id);
        }
        return databases.directory.transaction(work);
      },
    },
  };
  await createAccountNames({ databases: overtaken }).settle(id);
  assert.ok(isRenamed);
  assert.equal(await rowOf('slow'), undefined);
  assert.deepEqual(await rowOf('fast'), { userId: id, reserved: false });
});

test('an account that is closed while the directory is away loses its name later', async () => {
  const id = await register('gone');
  const cutOff = createUserParts({
    ...parts,
    databases: { ...databases, directory: away(databases.directory) },
  });
  assert.deepEqual(await cutOff.closeAccount({ userId: id, idleGuestBefore: 0 }), { closed: true });
  assert.deepEqual((await users.searchUsersByUsername({ query: 'gone', limit: 5 })).users, []);
  assert.equal((await users.verifyPassword({ username: 'gone', password })).valid, false);
  assert.equal((await rowOf('gone'))?.userId, Number(id));
  await takeOver();
  assert.equal(await rowOf('gone'), undefined);
  // The name of an erased account is nobody's for a while.
  await refusedWith(register('gone'), 'USERNAME_TAKEN');
});

test('the name of an erased account is taken at every moment of its erasure', async () => {
  const cutOff = createUserParts({
    ...parts,
    databases: { ...databases, directory: away(databases.directory) },
  });
  const close = (userId: string) => cutOff.closeAccount({ userId, idleGuestBefore: 0 });

  // The erasure reaches the directory between the two reads.
  const id = await register('erased');
  await close(id);
  let first: Promise<unknown> | undefined;
  const overtaken: Databases = {
    ...databases,
    directory: {
      ...databases.directory,
      async query(sql, values) {
        if (first) {
          await first;
          await names.settle(Number(id));
        }
        const rows = databases.directory.query<never>(sql, values);
        first ??= rows;
        return rows;
      },
    },
  };
  assert.equal(await createAccountNames({ databases: overtaken }).isTaken('Erased'), true);

  // Or only whoever asks for the name brings it there.
  await close(await register('half-erased'));
  await databases.directory.execute("UPDATE usernames SET reserved_until = 1 WHERE username = 'half-erased'");
  assert.equal(await names.isTaken('half-erased'), true);
  assert.equal(await rowOf('half-erased'), undefined);
});
