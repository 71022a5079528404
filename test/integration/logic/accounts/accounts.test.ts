import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { codeOf } from '../../../../lib/errors.ts';
import { openIdentityProvider } from '../../../support/logic/identity-provider.ts';
import { openLogicSystem } from '../../../support/logic/logic-system.ts';
import {
  client,
  password,
  register as registerWith,
  sessionOf,
  uniqueName,
} from '../../../support/logic/logic-users.ts';
import { refusal, refusedWith } from '../../../support/refused-with.ts';

const provider = await openIdentityProvider();

// No server runs at this address: these tests must not need Temporal.
const system = await openLogicSystem({
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  AUTH_ISSUERS_FILE: provider.issuersFile,
});

const register = (username?: string) => registerWith(system, username);

test('a wrong password and an unknown name are refused with the same sentence', async () => {
  const username = uniqueName();
  await register(username);
  const sentences: string[] = [];
  for (const name of [username, uniqueName(), "x' OR 1=1", '']) {
    await assert.rejects(
      system.logic.auth.login({ username: name, password: 'not the password', client }),
      (error) => {
        assert.equal(codeOf(error), 'UNAUTHENTICATED');
        sentences.push(String(error));
        return true;
      },
    );
  }
  assert.equal(new Set(sentences).size, 1);
  sessionOf(await system.logic.auth.login({ username: username.toUpperCase(), password, client }));
});

test('a refresh token used again at once gets the same successor and a working access token', async () => {
  const { userId, sessionId, accessToken, refreshToken } = await register();
  const refresh = async (token: string) =>
    sessionOf(await system.logic.auth.refreshToken({ refreshToken: token }));
  const [next, again] = await Promise.all([refresh(refreshToken), refresh(refreshToken)]);
  assert.equal(next.userId, userId);
  assert.equal(next.sessionId, sessionId);
  assert.notEqual(next.refreshToken, refreshToken);
  assert.equal(again.refreshToken, next.refreshToken);
  for (const token of [accessToken, next.accessToken, again.accessToken]) {
    assert.equal((await system.logic.auth.validateToken({ accessToken: token })).valid, true);
  }
  const third = await refresh(next.refreshToken);
  assert.equal((await refresh(refreshToken)).refreshToken, third.refreshToken);
  const stored = JSON.stringify(await system.query('SELECT * FROM sessions WHERE id = ?', [sessionId]));
  for (const token of [refreshToken, next.refreshToken, third.refreshToken]) {
    assert.ok(!stored.includes(token.slice(-20)), 'no refresh token is stored');
  }
});

test('a refresh token used again later revokes the session and its newest token', async () => {
  const { sessionId, accessToken, refreshToken } = await register();
  const next = sessionOf(await system.logic.auth.refreshToken({ refreshToken }));
  assert.equal((await system.logic.auth.validateToken({ accessToken })).valid, true);
  await system.query('UPDATE sessions SET rotated_at = ? WHERE id = ?', [
    String(Date.now() - 20_500),
    sessionId,
  ]);
  await refusedWith(system.logic.auth.refreshToken({ refreshToken }), 'UNAUTHENTICATED');
  await refusedWith(system.logic.auth.refreshToken({ refreshToken: next.refreshToken }), 'UNAUTHENTICATED');
  assert.equal((await system.logic.auth.validateToken({ accessToken: next.accessToken })).valid, false);
  const { sessions } = await system.logic.auth.listRevokedSessions({
    since: Date.now() - 10_000,
    afterSessionId: '',
  });
  assert.ok(sessions.some(({ id }) => id === sessionId));
  for (const forged of ['forged', accessToken, refreshToken.replace('.0.', '.7.'), `${refreshToken}A`]) {
    await assert.rejects(
      system.logic.auth.refreshToken({ refreshToken: forged }),
      refusal('UNAUTHENTICATED'),
      forged,
    );
  }
});

test('a login under way while the password is changed leaves no session behind', async () => {
  const username = uniqueName();
  const { userId, sessionId } = await register(username);
  const login = () => system.logic.auth.login({ username, password, client }).catch(() => undefined);
  const logins = Array.from({ length: 12 }, login);
  const change = system.logic.auth.changePassword({
    userId,
    sessionId,
    oldPassword: password,
    newPassword: 'another password',
  });
  await Promise.all([...logins, ...Array.from({ length: 12 }, login), change]);
  const { sessions } = await system.logic.auth.listSessions({ userId });
  assert.deepEqual(
    sessions.map(({ id }) => id),
    [sessionId],
  );
});

test('a new password needs the old one and signs out the other sessions', async () => {
  const username = uniqueName();
  const { userId, sessionId } = await register(username);
  const other = sessionOf(await system.logic.auth.login({ username, password, client }));
  const change = (oldPassword: string) =>
    system.logic.auth.changePassword({ userId, sessionId, oldPassword, newPassword: 'another password' });
  await refusedWith(change('not the password'), 'PERMISSION_DENIED');
  assert.deepEqual((await change(password)).revokedSessionIds, [other.sessionId]);
  const { sessions } = await system.logic.auth.listSessions({ userId });
  assert.deepEqual(
    sessions.map(({ id }) => id),
    [sessionId],
  );
  await refusedWith(system.logic.auth.login({ username, password, client }), 'UNAUTHENTICATED');
});

test('a guest becomes a registered user under the same id, once, and may not make groups before', async () => {
  const guest = sessionOf(await system.logic.auth.guestLogin({ client }));
  assert.equal(guest.user?.isGuest, true);
  const group = {
    userId: guest.userId,
    type: 2,
    memberIds: [],
    name: 'G',
    avatarUrl: '',
    description: '',
    idempotencyKey: '',
    conversationId: '',
  };
  await refusedWith(system.logic.conversations.createConversation(group), 'GUEST_NOT_ALLOWED');
  const { userId, sessionId } = guest;
  const username = uniqueName();
  const upgrade = () => system.logic.auth.upgradeGuest({ userId, sessionId, username, password, client });
  const upgraded = sessionOf(await upgrade());
  assert.equal(upgraded.userId, userId);
  assert.equal(upgraded.user?.isGuest, false);
  const { sessions } = await system.logic.auth.listSessions({ userId });
  assert.deepEqual(
    sessions.map(({ id }) => id),
    [upgraded.sessionId],
  );
  await refusedWith(upgrade(), 'PERMISSION_DENIED');
  assert.equal(sessionOf(await system.logic.auth.login({ username, password, client })).userId, userId);
});

const exchange = async (sub: string, profile: Record<string, unknown> = {}) =>
  sessionOf(await system.logic.auth.exchangeToken({ token: await provider.token(sub, profile), client }));

test('a user of another provider gets one account at the first sign-in, also with concurrent sign-ins', async () => {
  const sub = randomUUID();
  const sessions = await Promise.all(Array.from({ length: 5 }, () => exchange(sub)));
  assert.equal(new Set(sessions.map(({ userId }) => userId)).size, 1);
  const again = await exchange(sub);
  assert.equal(again.userId, sessions[0]?.userId);
  assert.match(again.user?.username ?? '', /^user-/);
  assert.equal(again.user?.isGuest, false);
  assert.notEqual((await exchange(sub.toUpperCase())).userId, again.userId, 'compared byte for byte');
  assert.equal((await system.logic.auth.validateToken({ accessToken: again.accessToken })).valid, true);
  await refusedWith(system.logic.auth.exchangeToken({ token: again.accessToken, client }), 'UNAUTHENTICATED');
});

test('the profile follows the token each time, but for claims that cannot be, and names that are taken', async () => {
  const [sub, nick, other, taken] = [randomUUID(), uniqueName(), uniqueName(), uniqueName()];
  await register(taken);
  const shown = async (profile: Record<string, unknown>) => {
    const { username, displayName, avatarUrl } = (await exchange(sub, profile)).user ?? {};
    return [username, displayName, avatarUrl];
  };
  const picture = 'https://pictures.example/1';
  assert.deepEqual(await shown({ nick, name: ' Ann Lee ', picture }), [nick, 'Ann Lee', picture]);
  for (const invalid of [
    {},
    { nick: taken, name: '\u200b', picture: 'javascript:alert(1)' },
    { nick: 'admin', name: 'x'.repeat(51), picture: 'https://a:b@pictures.example' },
    { nick: 'no spaces', name: 5, picture: null },
  ]) {
    assert.deepEqual(await shown(invalid), [nick, 'Ann Lee', picture], JSON.stringify(invalid));
  }
  assert.deepEqual(await shown({ nick: other, name: 'Ann', picture: '' }), [other, 'Ann', '']);
  const found = await system.logic.users.searchUsers({ query: other.slice(2), limit: 5 });
  assert.deepEqual(
    found.users.map(({ username }) => username),
    [other],
  );
  await register(nick);
});

test('an account without a password is erased without one, and its identity can sign in to a new account', async () => {
  const sub = randomUUID();
  const { userId } = await exchange(sub);
  await refusedWith(
    system.logic.auth.login({ username: (await exchange(sub)).user?.username ?? '', password: '', client }),
    'UNAUTHENTICATED',
  );
  // Refused for want of Temporal, not of a password.
  await refusedWith(system.logic.users.deleteAccount({ userId }), 'UNAVAILABLE');
  await system.repo.users.closeAccount({ userId, idleGuestBefore: 0 });
  assert.notEqual((await exchange(sub)).userId, userId);
});
