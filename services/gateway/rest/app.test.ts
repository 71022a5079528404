import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { hashingMs } from '../../../lib/domain/passwords.ts';
import { type Code, GoChatError, httpStatus } from '../../../lib/errors.ts';
import { codeNames } from '../../../test/support/codes.ts';
import { bearer, session, testApp, user } from '../../../test/support/gateway/gateway-app.ts';

type Body = Record<string, unknown> & { errors?: { path: string }[] };

const json = { 'content-type': 'application/json' };

async function send(
  app: FastifyInstance,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  url: string,
  body?: unknown,
  headers: Record<string, string> = bearer,
) {
  const payload =
    body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const response = await app.inject({
    method,
    url,
    headers: { ...headers, ...(payload === undefined ? {} : json), ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
  const answer: Body = response.body === '' ? {} : JSON.parse(response.body);
  return { status: response.statusCode, headers: response.headers, body: answer };
}

function isProblem(answer: Awaited<ReturnType<typeof send>>, code: Code, path?: string): void {
  assert.deepEqual([answer.status, answer.body.code], [httpStatus(code), code], JSON.stringify(answer.body));
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
  assert.equal(answer.body.status, httpStatus(code));
  for (const field of ['type', 'title', 'detail']) assert.equal(typeof answer.body[field], 'string');
  if (path !== undefined)
    assert.deepEqual(
      answer.body.errors?.map((error) => error.path),
      [path],
    );
}

test('every code of the system shows with its status and name', async () => {
  let code: Code = 'INTERNAL_ERROR';
  const { app } = await testApp({
    'users.getUser': () => {
      throw new GoChatError(code, 'As the rule says.', [{ path: 'x', message: 'is wrong' }]);
    },
  });
  for (code of codeNames) isProblem(await send(app, 'GET', '/users/profile'), code, 'x');
});

test('a fault tells nothing of the inside', async () => {
  const { app } = await testApp({
    'users.getUser': () => {
      throw new Error('password of the database is 1234');
    },
  });
  const answer = await send(app, 'GET', '/users/profile');
  isProblem(answer, 'INTERNAL_ERROR');
  assert.doesNotMatch(JSON.stringify(answer.body), /1234/);
});

test('without a good token only the public routes answer', async () => {
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

test('what is no request is answered as a problem', async () => {
  const { app } = await testApp();
  const login = '/auth/login';
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const bodies = [
    '{',
    '',
    'null',
    '[]',
    '"x"',
    '5',
    deep,
    '{"username":"a","password":1e400}',
    Buffer.from([0xff]),
  ];
  for (const body of bodies) isProblem(await send(app, 'POST', login, body, json), 'INVALID_ARGUMENT');
  isProblem(await send(app, 'POST', login, `"${'x'.repeat(1_100_000)}"`, json), 'PAYLOAD_TOO_LARGE');
  isProblem(await send(app, 'POST', login, '<a/>', { 'content-type': 'text/xml' }), 'UNSUPPORTED_MEDIA_TYPE');
  isProblem(await send(app, 'POST', login, 'x=1', { 'content-type': '' }), 'UNSUPPORTED_MEDIA_TYPE');
  const gzip = { ...json, 'content-encoding': 'gzip' };
  isProblem(await send(app, 'POST', login, '{}', gzip), 'UNSUPPORTED_MEDIA_TYPE');
  isProblem(await send(app, 'GET', '/no/such/route'), 'NOT_FOUND');
  isProblem(await send(app, 'GET', '/files/1'), 'NOT_FOUND');
  isProblem(await send(app, 'POST', '/no/such/route', '{', json), 'NOT_FOUND');
  isProblem(
    await send(app, 'PATCH', '/conversations', '<a/>', { 'content-type': 'text/xml' }),
    'METHOD_NOT_ALLOWED',
  );
  isProblem(await send(app, 'GET', '/users/%ff'), 'INVALID_ARGUMENT');
  isProblem(await send(app, 'GET', '/healthz', undefined, { host: '[[[' }), 'INVALID_ARGUMENT');
  const wrong = await send(app, 'PATCH', '/auth/sessions/abc');
  isProblem(wrong, 'METHOD_NOT_ALLOWED');
  assert.equal(wrong.headers.allow, 'DELETE');
});

test('nothing sent is no body, whatever its type is called; something in another type is refused', async () => {
  const { app } = await testApp({ 'auth.guestLogin': () => ({ session }) });
  for (const type of [
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    '?',
  ]) {
    const headers = { 'content-type': type, 'content-length': '0' };
    assert.equal((await send(app, 'POST', '/auth/guest', undefined, headers)).status, 201, type);
    isProblem(
      await send(app, 'POST', '/auth/guest', 'a=1', { 'content-type': type }),
      'UNSUPPORTED_MEDIA_TYPE',
    );
  }
  // In chunks, so that no header says that nothing comes.
  const form = { 'content-type': 'application/x-www-form-urlencoded', 'transfer-encoding': 'chunked' };
  const chunked = (payload: Readable) =>
    app.inject({ method: 'POST', url: '/auth/guest', headers: form, payload });
  assert.equal((await chunked(Readable.from([]))).statusCode, 201);
  assert.equal((await chunked(Readable.from([Buffer.from('a=1')]))).statusCode, 415);
});

test('a body of 1 MiB costs no more to refuse than to read, whatever is wrong in it', async () => {
  const { app } = await testApp();
  const list = (item: string) => `[${Array(Math.floor(1_000_000 / (item.length + 1))).fill(item)}]`;
  const cursors = Array.from({ length: 90_000 }, (_, at) => `"${at}":-1`).join();
  const bodies: [string, string][] = [
    ['/conversations', `{"type":2,"name":"g","memberIds":${list('1')}}`],
    ['/conversations', `{"type":2,"name":"g","memberIds":${list('{}')}}`],
    ['/conversations/5/messages', `{"clientMsgId":"a","content":"x","mentions":${list('1')}}`],
    ['/conversations/5/members', `{"userIds":${list('null')}}`],
    ['/sync', `{"cursors":{${cursors}}}`],
  ];
  // CPU time, since the machine may do something else meanwhile.
  const cost = async (run: () => unknown) => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 8; round++) {
      const from = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(from);
      least = Math.min(least, (user + system) / 1000);
    }
    return least;
  };
  for (const [url, body] of bodies) {
    const reading = await cost(() => JSON.parse(body));
    const refusing = await cost(() => send(app, 'POST', url, body));
    isProblem(await send(app, 'POST', url, body), 'INVALID_ARGUMENT');
    assert.ok(
      refusing < 3 * reading + 20,
      `${url}: ${refusing.toFixed(1)} ms, read in ${reading.toFixed(1)} ms`,
    );
  }
});

test('fields that are wrong are named', async () => {
  const { app, calls } = await testApp();
  const ok = { username: 'ann', password: 'long enough' };
  const table: (readonly [string, 'POST' | 'PUT' | 'PATCH', unknown, string])[] = [
    ['/auth/register', 'POST', { password: 'long enough' }, 'username'],
    ['/auth/register', 'POST', { ...ok, username: 'a b' }, 'username'],
    ['/auth/register', 'POST', { ...ok, username: 'a\u0000b' }, 'username'],
    ['/auth/register', 'POST', { ...ok, username: 5 }, 'username'],
    ['/auth/register', 'POST', { ...ok, password: '1234567' }, 'password'],
    ['/auth/register', 'POST', { ...ok, password: 'x'.repeat(129) }, 'password'],
    ['/auth/register', 'POST', { ...ok, password: '😀'.repeat(7) }, 'password'],
    ['/auth/register', 'POST', { ...ok, avatarUrl: 'ftp://x/y' }, 'avatarUrl'],
    ['/auth/register', 'POST', { ...ok, avatarUrl: `https://x/${'y'.repeat(2048)}` }, 'avatarUrl'],
    ['/users/profile', 'PUT', { displayName: '' }, 'displayName'],
    ['/users/profile', 'PUT', { displayName: '\ud800' }, 'displayName'],
    ['/users/profile', 'PUT', { displayName: null }, 'displayName'],
    ...['\u200b', ' ', 'a\u202eb', 'a\u0000', 'x'.repeat(51)].map(
      (displayName) => ['/users/profile', 'PUT', { displayName }, 'displayName'] as const,
    ),
    ...['\u200b', ' ', 'a\u202eb', 'a\u0000', 'x'.repeat(101)].flatMap((name) => [
      ['/conversations/5', 'PATCH', { name }, 'name'] as const,
      ['/conversations', 'POST', { type: 2, name, memberIds: [] }, 'name'] as const,
    ]),
    ...[
      'ht\ntps://a.example/x',
      '\u0000https://a.example/x',
      ' https://a.example/x',
      '\nSet-Cookie: x',
    ].flatMap((avatarUrl) => [
      ['/users/profile', 'PUT', { avatarUrl }, 'avatarUrl'] as const,
      ['/auth/register', 'POST', { ...ok, avatarUrl }, 'avatarUrl'] as const,
      ['/conversations/5', 'PATCH', { avatarUrl }, 'avatarUrl'] as const,
    ]),
    ['/friends/requests', 'POST', { targetUserId: 5 }, 'targetUserId'],
    ['/friends/requests', 'POST', { targetUserId: '5', message: 'x'.repeat(501) }, 'message'],
    ['/friends/requests/7', 'PUT', { action: 3 }, 'action'],
    ['/friends/requests/7', 'PUT', { action: '1' }, 'action'],
    ['/conversations', 'POST', { type: 3, memberIds: [] }, 'type'],
    ['/conversations', 'POST', { type: 2, memberIds: ['1'] }, 'name'],
    ['/conversations', 'POST', { type: 1, memberIds: ['1', '2'] }, 'memberIds'],
    ['/conversations', 'POST', { type: 2, name: 'g', memberIds: ['1', 2] }, 'memberIds/1'],
    ['/conversations', 'POST', { type: 2, name: 'g', memberIds: Array(1001).fill('1') }, 'memberIds'],
    ['/conversations/5', 'PATCH', { settings: { inviteBy: 'all' } }, 'settings/inviteBy'],
    ['/conversations/5', 'PATCH', { settings: { muteAll: 'yes' } }, 'settings/muteAll'],
    ['/conversations/5/messages', 'POST', { clientMsgId: 'a', content: '' }, 'content'],
    ['/conversations/5/messages', 'POST', { clientMsgId: 'a', content: '\udc00' }, 'content'],
    ['/conversations/5/messages', 'POST', { clientMsgId: '', content: 'x' }, 'clientMsgId'],
    ['/conversations/5/messages', 'POST', { clientMsgId: 'é'.repeat(33), content: 'x' }, 'clientMsgId'],
    ['/conversations/5/messages', 'POST', { clientMsgId: 'a', content: 'x', messageType: 4 }, 'messageType'],
    ['/conversations/5/read', 'PUT', { seqId: '5' }, 'seqId'],
    ['/conversations/5/read', 'PUT', { seqId: -1 }, 'seqId'],
    ['/conversations/5/read', 'PUT', { seqId: 1.5 }, 'seqId'],
    ['/conversations/5/read', 'PUT', '{"seqId":1e400}', 'seqId'],
    ['/conversations/5/read', 'PUT', { seqId: 2 ** 53 }, 'seqId'],
    ['/conversations/5/members/9', 'PATCH', { role: 3 }, 'role'],
    ['/sync', 'POST', {}, 'cursors'],
    ['/sync', 'POST', { cursors: { 5: -1 } }, 'cursors/5'],
    ['/sync', 'POST', { cursors: {}, limitPerConversation: 0 }, 'limitPerConversation'],
  ];
  for (const [url, method, body, path] of table) {
    isProblem(await send(app, method, url, body), 'INVALID_ARGUMENT', path);
  }
  const queries = [
    '/conversations?limit=0',
    '/conversations?limit=201',
    '/conversations?limit=1e2',
    '/friends?limit= 5',
  ];
  queries.push(
    '/conversations?offset=-1',
    '/conversations?limit=',
    '/conversations?limit=5&limit=6',
    '/users/search',
  );
  for (const list of ['/conversations', '/conversations/5/members', '/friends', '/friends/requests']) {
    queries.push(`${list}?cursor=`, `${list}?cursor=a&cursor=b`, `${list}?cursor=${'x'.repeat(257)}`);
    queries.push(`${list}?cursor=abc&offset=0`, `${list}?cursor=abc&offset=7`);
  }
  queries.push('/blocks?offset=1&cursor=abc', '/auth/sessions?offset=1&cursor=abc', '/blocks?limit=201');
  queries.push('/friends/requests?status=9', '/friends/requests?direction=up', '/users/search?q=a&limit=51');
  queries.push('/conversations/5/messages?afterSeq=99999999999999999', '/conversations/5/messages?limit=0x5');
  for (const url of queries) isProblem(await send(app, 'GET', url), 'INVALID_ARGUMENT');
  assert.deepEqual(calls, []);
});

test('content is counted in code points', async () => {
  const sent: string[] = [];
  const message = { id: 1, conversationId: '5', seqId: 1, sender: user, messageType: 1, content: 'x' };
  const { app } = await testApp({
    'messages.sendMessage': ({ content }: { content: string }) => {
      sent.push(content);
      const full = { ...message, clientMsgId: 'a', mentions: [], deleted: false, createdAt: 1 };
      return { message: full, duplicate: sent.length > 1 };
    },
  });
  const post = (content: string) =>
    send(app, 'POST', '/conversations/5/messages', { clientMsgId: 'a', content });
  assert.equal((await post('😀'.repeat(4000))).status, 201);
  assert.equal((await post('a\u0000b')).status, 200);
  isProblem(await post('😀'.repeat(4001)), 'MESSAGE_TOO_LARGE');
  assert.deepEqual(sent, ['😀'.repeat(4000), 'a\u0000b']);
});

test('ids that cannot be are answered like ids that are not', async () => {
  const { app } = await testApp();
  for (const id of ['x', '0', '-1', '007', '1e3', '9'.repeat(300), '99999999999999999', '%00', "' OR 1=1"]) {
    const part = id.startsWith('%') ? id : encodeURIComponent(id);
    isProblem(await send(app, 'GET', `/users/${part}`), 'USER_NOT_FOUND');
    isProblem(await send(app, 'GET', `/conversations/${part}`), 'CONVERSATION_NOT_FOUND');
    isProblem(await send(app, 'DELETE', `/conversations/5/messages/${part}`), 'MESSAGE_NOT_FOUND');
    isProblem(await send(app, 'PUT', `/friends/requests/${part}`, { action: 1 }), 'REQUEST_NOT_FOUND');
  }
  isProblem(await send(app, 'POST', '/friends/requests', { targetUserId: 'nobody' }), 'USER_NOT_FOUND');
});

test('unknown fields and prototype keys are ignored', async () => {
  const { app, calls } = await testApp({ 'users.updateProfile': () => ({ user }) });
  const body = '{"__proto__":{"displayName":"evil"},"constructor":{"prototype":{"x":1}},"isGuest":true}';
  assert.equal((await send(app, 'PUT', '/users/profile', body)).status, 200);
  assert.deepEqual(calls[0]?.request, { userId: '1001', avatarUrl: undefined, displayName: undefined });
});

test('cursors that name no conversation come back as removed', async () => {
  const { app, calls } = await testApp({
    'conversations.sync': () => ({
      conversations: [],
      recalled: [],
      removed: ['6'],
      hasMore: false,
      serverTime: 9,
    }),
  });
  const { body } = await send(app, 'POST', '/sync', '{"cursors":{"5":1,"6":2,"__proto__":3,"x":4}}');
  assert.deepEqual(body.removed, ['6', '__proto__', 'x']);
  assert.deepEqual(
    calls.map(({ request }) => (request as { cursors: object }).cursors),
    [{ 5: 1, 6: 2 }],
  );
});

test('a sync that leaves changes out says so, and how far it got', async () => {
  const answer = { conversations: [], recalled: [], removed: [], hasMore: false };
  const { app } = await testApp({
    'conversations.sync': ({ since }: { since: number }) => ({
      ...answer,
      moreChanges: since === 1,
      serverTime: 9,
    }),
  });
  const ask = async (since: number) =>
    (await send(app, 'POST', '/sync', JSON.stringify({ cursors: {}, since }))).body;
  assert.deepEqual(await ask(1), { ...answer, moreChanges: true, serverTime: 9 });
  assert.deepEqual(await ask(2), { ...answer, serverTime: 9 });
});

/** Logic that knows one password, and from where each account signs in. */
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
  };
  return { answers, checked };
};

const from =
  (address: string) => (app: FastifyInstance, method: 'POST' | 'PUT' | 'DELETE', url: string, body: object) =>
    app
      .inject({ method, url, payload: body, remoteAddress: address, headers: bearer })
      .then(({ statusCode }) => statusCode);

test('failed sign-ins of an account are counted over all addresses but its own, and refused before the check', async () => {
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

test('a wrong password counts as well where one is signed in', async () => {
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

test('a rejected request comes without a conversation, an accepted one with it', async () => {
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
  const numbers = { memberCount: 2, createdAt: 1, updatedAt: 1, lastSeqId: 0, lastMessageId: 0 };
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
  // Whether s-7 was the caller's to revoke is not for the gateway to say.
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
  assert.equal(routes.length, 46);
  for (const name of ['User', 'Message', 'Conversation', 'Session', 'Problem']) {
    assert.ok(document.components.schemas[name], name);
  }
  assert.deepEqual(document.paths['/auth/login']?.post?.security, []);
  const references = JSON.stringify(document).match(/"#\/components\/schemas\/[^"]+"/g) ?? [];
  for (const reference of new Set(references)) {
    assert.ok(document.components.schemas[JSON.parse(reference).split('/')[3]], reference);
  }
});
