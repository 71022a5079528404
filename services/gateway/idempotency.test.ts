import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { GoChatError } from '../../lib/errors.ts';
import { bearer, session, testApp, user } from '../../test/support/gateway-app.ts';
import { createMemoryIdempotency } from '../../test/support/memory-idempotency.ts';
import { beginOnce, hashOf } from './idempotency.ts';

const request = {
  id: '7',
  requester: user,
  target: user,
  status: 0,
  message: '',
  createdAt: 1,
  updatedAt: 1,
  expiresAt: 1,
};

const post = (
  app: FastifyInstance,
  url: string,
  payload: object | string,
  key: string,
  headers: object = bearer,
) =>
  app.inject({
    method: 'POST',
    url,
    payload,
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
  });

test('a repeat gets the first answer, byte for byte, and nothing is done twice', async () => {
  const { app, calls } = await testApp({ 'friends.sendFriendRequest': () => ({ request }) });
  const first = await post(app, '/friends/requests', { targetUserId: '5', message: 'hi' }, 'key-1');
  const repeat = await post(
    app,
    '/friends/requests',
    '{ "message":"hi", "extra":1, "targetUserId":"5" }',
    'key-1',
  );
  assert.deepEqual([first.statusCode, repeat.statusCode, calls.length], [201, 201, 1]);
  assert.equal(repeat.body, first.body);
  assert.equal(repeat.headers['content-type'], first.headers['content-type']);
  assert.equal(repeat.headers['idempotency-replayed'], 'true');
  assert.equal((calls[0]?.request as { idempotencyKey?: string } | undefined)?.idempotencyKey, 'key-1');
});

test('a refusal is repeated too', async () => {
  const { app, calls } = await testApp({
    'friends.sendFriendRequest': () => {
      throw new GoChatError('ALREADY_FRIENDS', 'You are friends.');
    },
  });
  const [first, repeat] = [
    await post(app, '/friends/requests', { targetUserId: '5' }, 'k'),
    await post(app, '/friends/requests', { targetUserId: '5' }, 'k'),
  ];
  assert.deepEqual([first.statusCode, repeat.statusCode, calls.length], [409, 409, 1]);
  assert.equal(repeat.body, first.body);
  assert.match(String(repeat.headers['content-type']), /problem\+json/);
});

test('a fault has no answer worth keeping: the repeat is tried anew', async () => {
  let faults = 0;
  const { app, calls } = await testApp({
    'friends.sendFriendRequest': () => {
      faults += 1;
      if (faults === 1) throw new GoChatError('UNAVAILABLE', 'Not now.');
      return { request };
    },
  });
  assert.equal((await post(app, '/friends/requests', { targetUserId: '5' }, 'k')).statusCode, 503);
  assert.equal((await post(app, '/friends/requests', { targetUserId: '5' }, 'k')).statusCode, 201);
  assert.equal(calls.length, 2);
});

test('the same key with another body is a mismatch, in another place another request', async () => {
  const { app, calls } = await testApp({
    'friends.sendFriendRequest': () => ({ request }),
    'conversations.addMembers': () => ({ added: ['5'], alreadyMembers: [], refused: [] }),
  });
  await post(app, '/friends/requests', { targetUserId: '5' }, 'k');
  const other = await post(app, '/friends/requests', { targetUserId: '6' }, 'k');
  assert.deepEqual([other.statusCode, JSON.parse(other.body).code], [409, 'IDEMPOTENCY_MISMATCH']);
  for (const url of ['/conversations/7/members', '/conversations/8/members']) {
    assert.equal((await post(app, url, { userIds: ['5'] }, 'k')).statusCode, 200);
  }
  assert.equal(calls.length, 3);
});

test('two at once make one: the second waits for the first answer', async () => {
  const gate = Promise.withResolvers<void>();
  const { app, calls } = await testApp({
    'friends.sendFriendRequest': async () => {
      await gate.promise;
      return { request };
    },
  });
  const both = ['a', 'b'].map(() => post(app, '/friends/requests', { targetUserId: '5' }, 'k'));
  setImmediate(gate.resolve);
  const [first, second] = await Promise.all(both);
  assert.deepEqual([first?.statusCode, second?.statusCode, calls.length], [201, 201, 1]);
  assert.equal(first?.body, second?.body);
});

test('waiting for the first answer ends with UNAVAILABLE', async () => {
  const idempotency = createMemoryIdempotency();
  const claim = { scope: 's', key: 'k', requestHash: hashOf('x') };
  assert.equal((await beginOnce(idempotency, claim)).state, 'new');
  await assert.rejects(
    beginOnce(idempotency, claim, 100),
    (error) => error instanceof GoChatError && error.code === 'UNAVAILABLE',
  );
});

test('a group is created under the id that was reserved for the key', async () => {
  const { app, calls } = await testApp({
    'conversations.createConversation': () => {
      throw new GoChatError('UNAVAILABLE', 'Not now.');
    },
  });
  const body = { type: 2, name: 'g', memberIds: ['5', '5'] };
  await post(app, '/conversations', body, 'k');
  const made = calls[0]?.request as { conversationId: string; memberIds: string[] } | undefined;
  assert.match(made?.conversationId ?? '', /^\d+$/);
  assert.deepEqual(made?.memberIds, ['5']);
});

test('keys that are none are refused', async () => {
  const { app, calls } = await testApp();
  for (const key of ['', 'a b', 'é', 'x'.repeat(256)]) {
    const answer = await post(app, '/friends/requests', { targetUserId: '5' }, key);
    assert.deepEqual([answer.statusCode, JSON.parse(answer.body).code], [400, 'INVALID_ARGUMENT'], key);
  }
  assert.equal(calls.length, 0);
});

test('registering twice under one key makes one account, and its tokens are not stored in the clear', async () => {
  const { app, calls, idempotency } = await testApp({ 'auth.register': () => ({ session }) });
  const body = { username: 'ann', password: 'correct horse' };
  const first = await post(app, '/auth/register', body, 'k', {});
  const repeat = await post(app, '/auth/register', body, 'k', {});
  assert.deepEqual([first.statusCode, repeat.statusCode, calls.length], [201, 201, 1]);
  assert.equal(repeat.body, first.body);
  const stored = JSON.stringify([...idempotency.entries]);
  assert.match(stored, /"statusCode":201/);
  assert.doesNotMatch(stored, /accessToken|refreshToken|"k"/);
  const other = await post(app, '/auth/register', { ...body, password: 'another one' }, 'k', {});
  assert.deepEqual([other.statusCode, JSON.parse(other.body).code], [409, 'IDEMPOTENCY_MISMATCH']);
});

test('a guest needs no body under a key; the key with another name for an account is a mismatch', async () => {
  const { app, calls } = await testApp({
    'auth.guestLogin': () => ({ session }),
    'auth.register': () => ({ session }),
  });
  const guest = () =>
    app.inject({ method: 'POST', url: '/auth/guest', headers: { 'idempotency-key': 'guest' } });
  const [first, repeat] = [await guest(), await guest()];
  assert.deepEqual([first.statusCode, repeat.statusCode, calls.length], [201, 201, 1]);
  assert.equal(repeat.body, first.body);
  for (const body of [[], '"x"', '5'])
    assert.equal((await post(app, '/auth/guest', body, 'k', {})).statusCode, 400);

  await post(app, '/auth/register', { username: 'ann', password: 'correct horse' }, 'k', {});
  const other = await post(app, '/auth/register', { username: 'bob', password: 'correct horse' }, 'k', {});
  assert.deepEqual([other.statusCode, JSON.parse(other.body).code], [409, 'IDEMPOTENCY_MISMATCH']);
});
