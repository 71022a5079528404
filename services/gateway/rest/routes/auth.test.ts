import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { hashingMs } from '../../../../lib/domain/passwords.ts';
import { GoChatError } from '../../../../lib/errors.ts';
import {
  bearer,
  isProblem,
  json,
  send,
  session,
  testApp,
} from '../../../../test/support/gateway/gateway-app.ts';

/** A logic with one correct password, and the known sign-in addresses of each account. */
const signIn = (known: Record<string, string> = {}) => {
  const checked: string[] = [];
  const right = ({ username, password = '', oldPassword = password }: Record<string, string>) => {
    checked.push(username ?? '');
    if (oldPassword !== 'right one') {
      throw new GoChatError(username ? 'UNAUTHENTICATED' : 'PERMISSION_DENIED', 'No.');
    }
    return { session, revokedSessionIds: [] };
  };
  const answers = {
    'auth.getSignInAccount': ({ username, userId, address }: Record<string, string>) => ({
      userId: userId || (username?.toLowerCase() === 'ann' ? '1001' : ''),
      knownAddress: known[userId || (username ?? '').toLowerCase()] === address,
    }),
    'auth.login': right,
    'auth.changePassword': right,
    'users.deleteAccount': right,
    'auth.refreshToken': ({ refreshToken }: { refreshToken: string }) => {
      if (refreshToken !== 'good') throw new GoChatError('UNAUTHENTICATED', 'No.');
      return { session };
    },
    'auth.exchangeToken': ({ token }: { token: string }) => {
      if (token !== 'good') throw new GoChatError('UNAUTHENTICATED', 'No.');
      return { session };
    },
  };
  return { answers, checked };
};

const from =
  (address: string) => (app: FastifyInstance, method: 'POST' | 'PUT' | 'DELETE', url: string, body: object) =>
    app
      .inject({ method, url, payload: body, remoteAddress: address, headers: bearer })
      .then(({ statusCode }) => statusCode);

test('failed sign-ins of an account are counted over all addresses except its own, and further ones are refused before the password is checked', async () => {
  const home = '192.0.2.9';
  const { answers, checked } = signIn({ ann: home });
  const { app } = await testApp(answers, { loginFailuresPer15Min: 2 });
  const login = (address: string, password: string, username = 'Ann') =>
    from(address)(app, 'POST', '/auth/login', { username, password });
  for (let i = 0; i < 3; i++) assert.equal(await login('192.0.2.1', 'right one'), 200);
  assert.equal(await login('192.0.2.1', 'wrong'), 401);
  assert.equal(await login('192.0.2.2', 'wrong', 'ANN'), 401);
  const before = checked.length;
  assert.equal(await login('192.0.2.3', 'right one'), 429);
  assert.equal(await login('192.0.2.4', 'wrong', 'ann'), 429);
  assert.equal(checked.length, before, 'nothing is hashed for them');
  assert.equal(await login(home, 'right one'), 200, 'strangers lock nobody out');
  assert.equal(await login('192.0.2.3', 'right one', 'bob'), 200);
  for (let i = 0; i < 2; i++) assert.equal(await login(home, 'wrong'), 401);
  assert.equal(await login(home, 'right one'), 429, 'at home there is a bound too');
  const refused = await app.inject({
    method: 'POST',
    url: '/auth/login',
    payload: { username: 'ann', password: 'right one' },
    remoteAddress: home,
  });
  assert.ok(Number(refused.headers['retry-after']) > 800);
});

test('failed sign-ins of an address are counted over all accounts and tokens, IPv6 by /64', async () => {
  const { answers } = signIn();
  const { app } = await testApp(answers, { loginFailuresPer15Min: 2 });
  const login = (address: string, username: string, password = 'wrong') =>
    from(address)(app, 'POST', '/auth/login', { username, password });
  const refresh = (address: string, refreshToken: string) =>
    from(address)(app, 'POST', '/auth/refresh', { refreshToken });
  for (let i = 0; i < 5; i++) assert.equal(await login(`2001:db8::${i}`, `name-${i}`), 401);
  for (let i = 0; i < 5; i++) assert.equal(await refresh(`2001:db8::${i}`, 'bad'), 401);
  assert.equal(await login('2001:db8::99', 'bob', 'right one'), 429);
  assert.equal(await refresh('2001:db8::99', 'good'), 429);
  assert.equal(await refresh('2001:db8:0:1::', 'good'), 200);
});

test('a token that is no valid one is 401 and counts for the address, whatever text it is; a value that is no text is 400', async () => {
  const { answers } = signIn();
  for (const [url, field] of [
    ['/auth/exchange', 'token'],
    ['/auth/refresh', 'refreshToken'],
  ] as const) {
    const { app } = await testApp(answers, { loginFailuresPer15Min: 1 });
    const ask = (value: unknown) => send(app, 'POST', url, { [field]: value }, {});
    for (const value of [1, null, ['good'], undefined])
      isProblem(await ask(value), 'INVALID_ARGUMENT', field);
    const bad = ['', 'x'.repeat(100_000), ' ', '\u0000', '\ud800'];
    for (const value of bad) isProblem(await ask(value), 'UNAUTHENTICATED');
    isProblem(await ask('good'), 'RATE_LIMITED');
  }
});

test('a wrong password of a signed-in user counts, too', async () => {
  const { answers } = signIn();
  const { app } = await testApp(answers, { loginFailuresPer15Min: 2 });
  const here = from('192.0.2.1');
  const change = (oldPassword: string) =>
    here(app, 'PUT', '/auth/password', { oldPassword, newPassword: 'long enough' });
  assert.equal(await change('wrong'), 403);
  assert.equal(await here(app, 'DELETE', '/users/profile', { password: 'wrong' }), 403);
  assert.equal(await change('right one'), 429);
  assert.equal(await here(app, 'DELETE', '/users/profile', { password: 'right one' }), 429);
  assert.equal(await here(app, 'POST', '/auth/login', { username: 'ann', password: 'right one' }), 429);
});

test('logic has the time to hash before the gateway gives up', async () => {
  const deadlines: number[] = [];
  const done = (_: never, options?: { deadlineMs?: number }) => {
    deadlines.push(options?.deadlineMs ?? 0);
    return { session, revokedSessionIds: [] };
  };
  const { app } = await testApp({
    'auth.register': done,
    'auth.login': done,
    'auth.upgradeGuest': done,
    'auth.changePassword': done,
    'users.deleteAccount': done,
  });
  const here = from('192.0.2.1');
  const account = { username: 'ann', password: 'right one' };
  for (const path of ['register', 'login', 'upgrade']) await here(app, 'POST', `/auth/${path}`, account);
  await here(app, 'PUT', '/auth/password', { oldPassword: 'right one', newPassword: 'long enough' });
  await here(app, 'DELETE', '/users/profile', { password: 'right one' });
  assert.equal(deadlines.length, 5);
  assert.ok(Math.min(...deadlines) > hashingMs, String(deadlines));
});

test('requests are limited by user, accounts by address', async () => {
  const { app } = await testApp(
    { 'auth.guestLogin': () => ({ session }), 'friends.listBlocks': () => ({ users: [] }) },
    { registersPerHour: 1, requestsPerMinute: 3 },
  );
  assert.equal((await send(app, 'POST', '/auth/guest', undefined, {})).status, 201);
  isProblem(await send(app, 'POST', '/auth/guest', {}, {}), 'RATE_LIMITED');

  for (let i = 0; i < 3; i++) assert.equal((await send(app, 'GET', '/blocks')).status, 200);
  isProblem(await send(app, 'GET', '/blocks'), 'RATE_LIMITED');
});

test('signing out takes effect here at once', async () => {
  const { app, revoked } = await testApp({
    'auth.logout': () => ({}),
    'auth.revokeSession': () => ({}),
    'auth.changePassword': () => ({ revokedSessionIds: ['s-8', 's-9'] }),
  });
  const logout = await app.inject({ method: 'POST', url: '/auth/logout', headers: { ...bearer, ...json } });
  assert.deepEqual([logout.statusCode, logout.body], [204, '']);
  assert.equal((await send(app, 'DELETE', '/auth/sessions/s-7')).status, 204);
  const change = { oldPassword: 'x', newPassword: 'long enough' };
  assert.equal((await send(app, 'PUT', '/auth/password', change)).status, 204);
  // Only logic knows if s-7 is a session of the caller.
  assert.deepEqual([...revoked], ['s-1', 's-8', 's-9']);
});

test('erasing the account is accepted, for the caller only', async () => {
  const { app, calls } = await testApp({ 'users.deleteAccount': () => ({}) });
  const answer = await app.inject({ method: 'DELETE', url: '/users/profile', headers: bearer });
  assert.deepEqual([answer.statusCode, answer.body], [202, '']);
  const given = (password: string) => ({
    name: 'users.deleteAccount',
    request: { userId: '1001', password, address: '127.0.0.1', redactMessages: undefined },
  });
  assert.deepEqual(calls, [given('')]);
  assert.equal((await send(app, 'DELETE', '/users/profile', { password: 'secret' })).status, 202);
  assert.deepEqual(calls[1], given('secret'));
  isProblem(await send(app, 'DELETE', '/users/profile', undefined, {}), 'UNAUTHENTICATED');
});
