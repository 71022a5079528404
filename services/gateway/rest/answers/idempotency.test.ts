import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { GoChatError } from '../../../../lib/errors.ts';
import { bearer, session, testApp, user } from '../../../../test/support/gateway/gateway-app.ts';
import { createMemoryIdempotency } from '../../../../test/support/gateway/memory-idempotency.ts';
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

test('a repeat gets the first status and the current state of the same resource, and nothing is done twice', async () => {
  let status = 0;
  const { app, calls } = await testApp({
    'friends.sendFriendRequest': () => ({ request }),
    'friends.getFriendRequest': () => ({ request: { ...request, status } }),
  });
  const first = await post(app, '/friends/requests', { targetUserId: '5', message: 'hi' }, 'key-1');
  const again = () =>
    post(app, '/friends/requests', '{ "message":"hi", "extra":1, "targetUserId":"5" }', 'key-1');
  const repeat = await again();
  assert.deepEqual([first.statusCode, repeat.statusCode], [201, 201]);
  assert.equal(repeat.body, first.body);
  assert.equal(repeat.headers['content-type'], first.headers['content-type']);
  assert.equal(repeat.headers['idempotency-replayed'], 'true');
  status = 1;
  assert.equal(JSON.parse((await again()).body).request.status, 1);
  assert.deepEqual(
    calls.map(({ name }) => name),
    ['friends.sendFriendRequest', 'friends.getFriendRequest', 'friends.getFriendRequest'],
  );
  assert.equal((calls[0]?.request as { idempotencyKey?: string } | undefined)?.idempotencyKey, 'key-1');
});

const message = {
  id: 9,
  conversationId: '7',
  seqId: 4,
  sender: user,
  messageType: 1,
  content: 'a secret',
  clientMsgId: 'c',
  mentions: [],
  deleted: false,
  createdAt: 1,
  changeSeq: 0,
  reactions: [],
  pinned: false,
};

test('a repeat does not return the content of a message that was recalled meanwhile', async () => {
  let now: object | undefined = message;
  const { app, idempotency } = await testApp({
    'messages.sendMessage': () => ({ message, duplicate: false }),
    'conversations.getMessages': ({ afterSeqId, limit }: { afterSeqId: number; limit: number }) => {
      assert.deepEqual([afterSeqId, limit], [3, 1]);
      if (!now) throw new GoChatError('NOT_CONVERSATION_MEMBER', 'You are no member of this conversation.');
      return { messages: [now], hasMore: false, tag: '', unchanged: false };
    },
  });
  const send = () =>
    post(app, '/conversations/7/messages', { clientMsgId: 'c', content: 'a secret' }, 'key-2');
  const first = await send();
  assert.deepEqual([first.statusCode, JSON.parse(first.body).message.content], [201, 'a secret']);
  assert.equal((await send()).body, first.body);
  now = { ...message, content: '', deleted: true };
  const recalled = await send();
  assert.deepEqual([recalled.statusCode, JSON.parse(recalled.body).message.content], [201, '']);
  assert.doesNotMatch(JSON.stringify([...idempotency.entries]), /secret/);
  now = undefined;
  assert.deepEqual(
    [(await send()).statusCode, JSON.parse((await send()).body).code],
    [403, 'NOT_CONVERSATION_MEMBER'],
  );
});

test('for a whole answer stored by an earlier version, the resource is read again, too', async () => {
  const { app, idempotency } = await testApp({
    'messages.sendMessage': () => ({ message, duplicate: false }),
    'conversations.getMessages': () => ({
      messages: [{ ...message, content: '', deleted: true }],
      hasMore: false,
    }),
  });
  const send = () =>
    post(app, '/conversations/7/messages', { clientMsgId: 'c', content: 'a secret' }, 'key-2');
  await send();
  for (const entry of idempotency.entries.values()) entry.responseBody = JSON.stringify({ message });
  assert.equal(JSON.parse((await send()).body).message.content, '');
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

test('a fault is not stored: the repeat is carried out again', async () => {
  let faults = 0;
  const { app, calls } = await testApp({
    'friends.sendFriendRequest': () => {
      faults += 1;
      if (faults === 1) throw new GoChatError('UNAVAILABLE', 'Not now.');
      return { request };
    },
    'friends.getFriendRequest': () => ({ request }),
  });
  assert.equal((await post(app, '/friends/requests', { targetUserId: '5' }, 'k')).statusCode, 503);
  assert.equal((await post(app, '/friends/requests', { targetUserId: '5' }, 'k')).statusCode, 201);
  assert.equal(calls.length, 2);
});

test('the same key with another body is a mismatch, and on another path another request', async () => {
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

test('two concurrent requests create one resource: the second waits for the first answer', async () => {
  const gate = Promise.withResolvers<void>();
  const { app, calls } = await testApp({
    'friends.sendFriendRequest': async () => {
      await gate.promise;
      return { request };
    },
    'friends.getFriendRequest': () => ({ request }),
  });
  const both = ['a', 'b'].map(() => post(app, '/friends/requests', { targetUserId: '5' }, 'k'));
  setImmediate(gate.resolve);
  const [first, second] = await Promise.all(both);
  assert.deepEqual([first?.statusCode, second?.statusCode], [201, 201]);
  assert.equal(calls.filter(({ name }) => name === 'friends.sendFriendRequest').length, 1);
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

test('invalid keys are refused', async () => {
  const { app, calls } = await testApp();
  for (const key of ['', 'a b', 'é', 'x'.repeat(256)]) {
    const answer = await post(app, '/friends/requests', { targetUserId: '5' }, key);
    assert.deepEqual([answer.statusCode, JSON.parse(answer.body).code], [400, 'INVALID_ARGUMENT'], key);
  }
  assert.equal(calls.length, 0);
});

test('calls that return tokens take no key: a repeat is a new call, and nothing is stored', async () => {
  const { app, calls, idempotency } = await testApp({
    'auth.register': () => ({ session }),
    'auth.guestLogin': () => ({ session }),
    'auth.login': () => ({ session }),
    'auth.refreshToken': () => ({ session }),
    'auth.upgradeGuest': () => ({ session, revokedSessionIds: [] }),
  });
  const account = { username: 'ann', password: 'correct horse' };
  const routes: [string, object][] = [
    ['/auth/register', account],
    ['/auth/guest', {}],
    ['/auth/login', account],
    ['/auth/refresh', { refreshToken: 'r' }],
    ['/auth/upgrade', account],
  ];
  for (const [url, body] of routes) {
    for (const key of ['k', 'k', 'no key at all']) {
      const answer = await post(app, url, body, key);
      assert.ok(answer.statusCode < 300, `${url}: ${answer.body}`);
      assert.equal(answer.headers['idempotency-replayed'], undefined);
    }
  }
  assert.equal(calls.length, 3 * routes.length);
  assert.equal(idempotency.entries.size, 0);
  for (const body of [[], '"x"', '5'])
    assert.equal((await post(app, '/auth/guest', body, 'k', {})).statusCode, 400);
});
