import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPasswords } from '../../../../services/repo/accounts/password.ts';
import { createUserAccounts } from '../../../../services/repo/accounts/user-accounts.ts';
import { createUserClosing } from '../../../../services/repo/accounts/user-closing.ts';
import { createUserSettings } from '../../../../services/repo/users/user-settings.ts';
import { eventually } from '../../../support/eventually.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';

const { redis, parts } = await openRepoParts();
const accounts = createUserAccounts({ ...parts, passwords: createPasswords() });
const settings = createUserSettings(parts);

async function guest(): Promise<string> {
  const { user } = await accounts.createUser({ username: '', password: '', avatarUrl: '', isGuest: true });
  return user?.id ?? '';
}

const of = async (userId: string) => (await settings.getUserSettings({ userIds: [userId] })).settings[0];
const defaults = { groupInvites: 'everyone', lastSeen: 'friends', readReceipts: true, locale: '' };

test('a user who chose nothing has the defaults, and omitted settings stay unchanged', async () => {
  const userId = await guest();
  assert.deepEqual(await of(userId), { userId, ...defaults });
  const first = await settings.updateUserSettings({ userId, lastSeen: 'nobody', locale: 'de-CH' });
  const chosen = { userId, ...defaults, lastSeen: 'nobody', locale: 'de-CH' };
  assert.deepEqual(first.settings, chosen);
  assert.deepEqual(await of(userId), chosen);
  await settings.updateUserSettings({ userId, groupInvites: 'friends', readReceipts: false, locale: '' });
  const now = { ...chosen, groupInvites: 'friends', readReceipts: false, locale: '' };
  assert.deepEqual(await of(userId), now);
  await redis.client.flushall();
  assert.deepEqual(await of(userId), now);
});

test('settings of many users come in the requested order, with at most one query, and none if they are cached', async () => {
  const userIds = await Promise.all(Array.from({ length: 20 }, guest));
  const quiet = userIds[7] ?? '';
  await settings.updateUserSettings({ userId: quiet, readReceipts: false });
  await redis.client.flushall();
  const { query } = parts.databases.users;
  let queries = 0;
  parts.databases.users.query = (...args) => {
    queries += 1;
    return query.call(parts.databases.users, ...args) as never;
  };
  try {
    const asked = [...userIds, 'no id'].reverse();
    const first = await settings.getUserSettings({ userIds: asked });
    assert.deepEqual(
      first.settings.map(({ userId, readReceipts }) => [userId, readReceipts]),
      asked.map((userId) => [userId, userId !== quiet]),
    );
    assert.equal(queries, 1);
    await eventually(
      async () => (await redis.client.exists(userIds.map((id) => `user:settings:${id}`))) === 20,
    );
    assert.deepEqual(await settings.getUserSettings({ userIds: asked }), first);
    assert.equal(queries, 1);
  } finally {
    parts.databases.users.query = query;
  }
});

test('two changes of one user at once are both made', async () => {
  const userId = await guest();
  await Promise.all([
    settings.updateUserSettings({ userId, lastSeen: 'everyone' }),
    settings.updateUserSettings({ userId, readReceipts: false }),
    settings.updateUserSettings({ userId, groupInvites: 'friends' }),
  ]);
  assert.deepEqual(await of(userId), {
    userId,
    groupInvites: 'friends',
    lastSeen: 'everyone',
    readReceipts: false,
    locale: '',
  });
});

test('a closed account has the default settings, which cannot be changed', async () => {
  const userId = await guest();
  await settings.updateUserSettings({ userId, lastSeen: 'nobody', locale: 'fr' });
  await of(userId);
  await createUserClosing(parts).closeAccount({ userId, idleGuestBefore: 0 });
  assert.deepEqual(await of(userId), { userId, ...defaults });
  await refusedWith(settings.updateUserSettings({ userId, lastSeen: 'everyone' }), 'USER_NOT_FOUND');
  const rows = await parts.databases.users.query('SELECT 1 FROM user_settings WHERE user_id = ?', [
    Number(userId),
  ]);
  assert.equal(rows.length, 0);
});
