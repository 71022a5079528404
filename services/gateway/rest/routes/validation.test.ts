import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { GoChatError } from '../../../../lib/errors.ts';
import {
  isProblem,
  json,
  send,
  session,
  testApp,
  user,
} from '../../../../test/support/gateway/gateway-app.ts';

test('an invalid request is answered as a problem', async () => {
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
  // The methods of /friends/:userId do not count, because that is another route.
  const named = await send(app, 'PATCH', '/friends/requests');
  assert.deepEqual([named.status, named.headers.allow], [405, 'GET, HEAD, POST']);
  // Neither do they take what /friends/requests itself does not.
  for (const method of ['PUT', 'DELETE'] as const) {
    const misrouted = await send(app, method, '/friends/requests?a=b', {});
    isProblem(misrouted, 'METHOD_NOT_ALLOWED');
    assert.equal(misrouted.headers.allow, 'GET, HEAD, POST');
  }
});

test('an empty body is no body, whatever its content type; a body of another type is refused', async () => {
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
  // The body is chunked, so that no header says that it is empty.
  const form = { 'content-type': 'application/x-www-form-urlencoded', 'transfer-encoding': 'chunked' };
  const chunked = (payload: Readable) =>
    app.inject({ method: 'POST', url: '/auth/guest', headers: form, payload });
  assert.equal((await chunked(Readable.from([]))).statusCode, 201);
  assert.equal((await chunked(Readable.from([Buffer.from('a=1')]))).statusCode, 415);
});

test('refusing an invalid body of 1 MiB costs no more than reading it', async () => {
  const { app } = await testApp();
  const list = (item: string) => `[${Array(Math.floor(1_000_000 / (item.length + 1))).fill(item)}]`;
  const cursors = Array.from({ length: 90_000 }, (_, at) => `"${at}":-1`).join();
  const bodies: [string, string][] = [
    ['/conversations', `{"type":2,"name":"g","memberIds":${list('1')}}`],
    ['/conversations', `{"type":2,"name":"g","memberIds":${list('{}')}}`],
    ['/conversations/5/messages', `{"clientMsgId":"a","content":"x","mentions":${list('1')}}`],
    ['/conversations/5/members', `{"userIds":${list('null')}}`],
    ['/sync', `{"cursors":{${cursors}}}`],
    ['/conversations', `{"type":2,"memberIds":[],"name":"${' '.repeat(1_000_000)}"}`],
    ['/conversations', `{"type":2,"memberIds":[],"name":"${'x'.repeat(1_000_000)}"}`],
  ];
  // Measures this thread's CPU time, because the machine may be busy with other work. It ends below `enough`.
  const cost = async (run: () => unknown, enough = 0) => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 8 && least >= enough; round++) {
      const from = process.threadCpuUsage();
      await run();
      const { user, system } = process.threadCpuUsage(from);
      least = Math.min(least, (user + system) / 1000);
    }
    return least;
  };
  for (const [url, body] of bodies) {
    const reading = await cost(() => JSON.parse(body));
    const bound = 3 * reading + 20;
    const refusing = await cost(() => send(app, 'POST', url, body), bound);
    isProblem(await send(app, 'POST', url, body), 'INVALID_ARGUMENT');
    assert.ok(refusing < bound, `${url}: ${refusing.toFixed(1)} ms, read in ${reading.toFixed(1)} ms`);
  }
});

test('the answer names the fields that are wrong', async () => {
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
      const full = {
        ...message,
        clientMsgId: 'a',
        mentions: [],
        deleted: false,
        createdAt: 1,
        changeSeq: 0,
        reactions: [],
      };
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

test('blanks around a name do not count, however many there are', async () => {
  const refuse = () => {
    throw new GoChatError('CONVERSATION_NOT_FOUND', 'The name was taken.');
  };
  const { app } = await testApp({
    'users.updateProfile': () => ({ user }),
    'conversations.updateConversation': refuse,
    'conversations.createConversation': refuse,
  });
  const within = (length: number) => `${' '.repeat(2000)}${'x'.repeat(length)}\u3000`;
  assert.equal((await send(app, 'PUT', '/users/profile', { displayName: within(50) })).status, 200);
  isProblem(await send(app, 'PUT', '/users/profile', { displayName: within(51) }), 'INVALID_ARGUMENT');
  for (const [length, code] of [
    [100, 'CONVERSATION_NOT_FOUND'],
    [101, 'INVALID_ARGUMENT'],
  ] as const) {
    const name = within(length);
    isProblem(await send(app, 'PATCH', '/conversations/5', { name }), code);
    isProblem(await send(app, 'POST', '/conversations', { type: 2, name, memberIds: [] }), code);
  }
});

test('impossible ids are answered like unknown ids', async () => {
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
      changes: [],
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
  const answer = { conversations: [], changes: [], recalled: [], removed: [], hasMore: false };
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

test('an answer that lacks a part of the storage says so, and when to ask again', async () => {
  const answer = { conversations: [], changes: [], recalled: [], removed: [], hasMore: false, serverTime: 5 };
  const page = { conversations: [], hasMore: false, tag: 'x', unchanged: false, partial: true };
  const { app } = await testApp({
    'conversations.sync': () => ({ ...answer, partial: true }),
    'conversations.getConversationsOptimized': () => page,
  });
  const synced = await send(app, 'POST', '/sync', '{"cursors":{},"since":5}');
  assert.deepEqual(synced.body, { ...answer, partial: true });
  const listed = await send(app, 'GET', '/conversations');
  assert.deepEqual(listed.body, { conversations: [], hasMore: false, partial: true });
  for (const { headers } of [synced, listed]) assert.equal(headers['retry-after'], '2');
});
