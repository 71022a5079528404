import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Code, GoChatError } from '../../../lib/errors.ts';
import { codeNames } from '../../../test/support/codes.ts';
import { isProblem, send, session, testApp, user } from '../../../test/support/gateway/gateway-app.ts';

test('every error code is answered with its status and name', async () => {
  let code: Code = 'INTERNAL_ERROR';
  const { app } = await testApp({
    'users.getUser': () => {
      throw new GoChatError(code, 'As the rule says.', [{ path: 'x', message: 'is wrong' }]);
    },
  });
  for (code of codeNames) isProblem(await send(app, 'GET', '/users/profile'), code, 'x');
});

test('an internal fault reveals nothing of the system', async () => {
  const { app } = await testApp({
    'users.getUser': () => {
      throw new Error('password of the database is 1234');
    },
  });
  const answer = await send(app, 'GET', '/users/profile');
  isProblem(answer, 'INTERNAL_ERROR');
  assert.doesNotMatch(JSON.stringify(answer.body), /1234/);
});

test('without a valid token only the public routes answer', async () => {
  const { app } = await testApp({ 'auth.login': () => ({ session }) });
  for (const authorization of ['', 'Bearer bad', 'Basic good', 'good', 'Bearer good x']) {
    const answer = await send(app, 'GET', '/users/profile', undefined, { authorization });
    isProblem(answer, 'UNAUTHENTICATED');
    assert.match(String(answer.headers['www-authenticate']), /^Bearer/);
  }
  const open = [
    '/healthz',
    '/openapi.json',
    '/asyncapi.json',
    '/docs',
    '/docs/',
    '/docs/js/scalar.js',
    '/healthz/',
  ];
  for (const url of open) assert.equal((await app.inject({ url })).statusCode, 200, url);
  assert.equal((await send(app, 'POST', '/auth/login', { username: 'ann', password: 'x' }, {})).status, 200);
});

test('readiness names the dependencies', async () => {
  const { app } = await testApp();
  const { status, body } = await send(app, 'GET', '/readyz', undefined, {});
  assert.equal(status, 503);
  assert.deepEqual(body, { ready: false, dependencies: { kafka: 'down', logic: 'up', repo: 'up' } });
});

test('a rejected friend request is answered without a conversation, an accepted one with it', async () => {
  const request = {
    id: '7',
    requester: user,
    target: user,
    status: 2,
    message: '',
    createdAt: 1,
    updatedAt: 1,
    expiresAt: 1,
  };
  const conversation = {
    id: '9',
    type: 1,
    name: '',
    avatarUrl: '',
    description: '',
    announcement: '',
    ownerId: '',
  };
  const numbers = {
    memberCount: 2,
    createdAt: 1,
    updatedAt: 1,
    lastSeqId: 0,
    lastMessageId: 0,
    lastChangeSeq: 0,
  };
  const userMembership = { conversationId: '9', role: 1, muted: false, joinedAt: 1, lastReadSeqId: 0 };
  const { app } = await testApp({
    'friends.handleFriendRequest': ({ action }: { action: number }) => ({
      request,
      conversation:
        action === 1
          ? { conversation: { ...conversation, ...numbers }, userMembership, unreadCount: 0, peer: user }
          : undefined,
    }),
  });
  const handle = (action: number) => send(app, 'PUT', '/friends/requests/7', { action });
  const rejected = await handle(2);
  assert.deepEqual([rejected.status, Object.keys(rejected.body)], [200, ['request']]);
  const accepted = (await handle(1)).body as {
    conversation?: { id: string; peer?: object; lastMessage?: object };
  };
  assert.equal(accepted.conversation?.id, '9');
  assert.deepEqual(accepted.conversation?.peer, user);
  assert.equal('lastMessage' in (accepted.conversation ?? {}), false);
});

test('the public keys of access tokens are open to everybody', async () => {
  const { app } = await testApp();
  const { status, body } = await send(app, 'GET', '/.well-known/jwks.json', undefined, {});
  assert.equal(status, 200);
  const [key] = body.keys as Record<string, string>[];
  assert.deepEqual(key, { kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'k', alg: 'EdDSA', use: 'sig' });
});

test('the OpenAPI document names every route and shape', async () => {
  const { app } = await testApp();
  const document = (await send(app, 'GET', '/openapi.json')).body as {
    paths: Record<string, Record<string, { security?: unknown[] }>>;
    components: { schemas: Record<string, unknown> };
  };
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  for (const route of ['POST /auth/register', 'PUT /conversations/{id}/owner', 'POST /sync', 'GET /readyz']) {
    assert.ok(routes.includes(route), route);
  }
  assert.equal(routes.length, 58);
  for (const name of ['User', 'Message', 'Conversation', 'Session', 'Problem']) {
    assert.ok(document.components.schemas[name], name);
  }
  assert.deepEqual(document.paths['/auth/login']?.post?.security, []);
  const references = JSON.stringify(document).match(/"#\/components\/schemas\/[^"]+"/g) ?? [];
  for (const reference of new Set(references)) {
    assert.ok(document.components.schemas[JSON.parse(reference).split('/')[3]], reference);
  }
});
