import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { WebSocket as RawSocket } from 'ws';
import { chat, type Data, gatewayUrl, newFriends, newPerson } from '../support/people/people.ts';

type Answer = { status: number; type: string; body: Data };

/** A request exactly as given, whatever fetch would think of it. */
function raw(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string | Buffer,
): Promise<Answer> {
  const { hostname, port } = new URL(gatewayUrl);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body: text ? JSON.parse(text) : undefined,
        });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const isProblem = ({ status, type, body }: Answer, expected: number, code: string) => {
  assert.match(type, /^application\/problem\+json/);
  assert.deepEqual([status, body.status, body.code], [expected, expected, code], JSON.stringify(body));
  for (const field of ['type', 'title', 'detail']) assert.equal(typeof body[field], 'string', field);
};

const json = { 'content-type': 'application/json' };

test('whatever cannot be a request gets a problem document', async () => {
  const person = await newPerson();
  const auth = { authorization: `Bearer ${person.accessToken}` };
  isProblem(await raw('POST', '/auth/login', json, '{"username": '), 400, 'INVALID_ARGUMENT');
  isProblem(await raw('POST', '/auth/login', json, ''), 400, 'INVALID_ARGUMENT');
  isProblem(await raw('POST', '/auth/login', json, '[]'), 400, 'INVALID_ARGUMENT');
  isProblem(await raw('POST', '/auth/login', json, 'null'), 400, 'INVALID_ARGUMENT');
  isProblem(
    await raw('POST', '/auth/login', json, '{"username":{"$gt":""},"password":["x"]}'),
    400,
    'INVALID_ARGUMENT',
  );
  isProblem(
    await raw('POST', '/auth/login', { 'content-type': 'text/xml' }, '<a/>'),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  );
  isProblem(
    await raw('POST', '/auth/login', json, JSON.stringify({ username: 'x'.repeat(1_100_000) })),
    413,
    'PAYLOAD_TOO_LARGE',
  );
  isProblem(await raw('GET', '/no/such/route', auth), 404, 'NOT_FOUND');
  isProblem(await raw('GET', '/auth/login', {}), 405, 'METHOD_NOT_ALLOWED');
  isProblem(await raw('DELETE', '/conversations', auth), 405, 'METHOD_NOT_ALLOWED');
  isProblem(await raw('GET', '/users/profile', {}), 401, 'UNAUTHENTICATED');
  isProblem(await raw('GET', '/users/profile', { authorization: 'Basic abc' }), 401, 'UNAUTHENTICATED');
  isProblem(await raw('GET', '/users/%ff', auth), 400, 'INVALID_ARGUMENT');
  isProblem(await raw('GET', '/users/00000000000000000000000', auth), 404, 'USER_NOT_FOUND');
  isProblem(await raw('GET', '/users/search?limit=51&q=a', auth), 400, 'INVALID_ARGUMENT');
  isProblem(await raw('GET', '/users/search', auth), 400, 'INVALID_ARGUMENT');
  isProblem(
    await raw('PUT', '/users/profile', { ...auth, ...json }, '{"displayName": 5}'),
    400,
    'INVALID_ARGUMENT',
  );
  isProblem(
    await raw('PUT', '/users/profile', { ...auth, ...json }, '{"avatarUrl": "javascript:alert(1)"}'),
    400,
    'INVALID_ARGUMENT',
  );
});

test('text that looks like SQL or a pattern is only text', async () => {
  const person = await newPerson('sql');
  const find = async (q: string) =>
    (await person.rest.get<{ users: Data[] }>(`/users/search?q=${encodeURIComponent(q)}`)).users;
  for (const q of ["' OR 1=1 --", '%', '_', '\\', '%%%', '"; DROP TABLE users; --', '😀']) {
    assert.ok(
      (await find(q)).every(({ username }) => username.includes(q)),
      q,
    );
  }
  assert.deepEqual(
    (await find(person.user.username)).map(({ id }) => id),
    [person.id],
  );
  assert.deepEqual(
    (await find(person.user.username.slice(2, 12).toUpperCase())).map(({ id }) => id),
    [person.id],
  );
});

test('a malformed frame is answered with an error; the third within a minute closes 4004', async () => {
  const { ann, conversationId } = await newFriends();
  const socket = await chat(ann);
  socket.send('send-message', { conversationId, clientMsgId: 'bad', content: 7 });
  assert.deepEqual(
    await socket.expect('error').then(({ code, clientMsgId, retryable }) => [code, clientMsgId, retryable]),
    ['INVALID_ARGUMENT', 'bad', false],
  );
  for (const text of ['not json', '[1,2]', '{"type":"no-such-type"}']) socket.sendRaw(text);
  assert.equal((await socket.closed).code, 4004);
  assert.equal(socket.all('error').length, 4);
});

test('a frame over 64 KiB closes the socket with 1009, and other sockets stay open', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [socket, other] = [await chat(ann), await chat(bob)];
  socket.sendRaw(JSON.stringify({ type: 'send-message', data: { content: 'x'.repeat(70_000) } }));
  assert.equal((await socket.closed).code, 1009);
  assert.equal((await other.say(conversationId, 'still here')).seqId, 1);
  await other.close();
});

test('an upgrade without a good token is refused before it happens', async () => {
  const url = gatewayUrl.replace('http', 'ws');
  const statusOf = (address: string, protocols: string[] = []) =>
    new Promise<number>((resolve) => {
      const socket = new RawSocket(address, protocols);
      socket.on('unexpected-response', (_request, response) => {
        resolve(response.statusCode ?? 0);
        socket.terminate();
      });
      socket.on('open', () => resolve(101));
      socket.on('error', () => undefined);
    });
  assert.equal(await statusOf(`${url}/ws`), 401);
  assert.equal(await statusOf(`${url}/ws?token=nonsense`), 401);
  assert.equal(await statusOf(`${url}/ws`, ['gochat.v1', 'bearer.nonsense']), 401);
  assert.equal(await statusOf(`${url}/elsewhere`), 404);
});

test('the token may travel in the query, and the first frame is welcome', async () => {
  const person = await newPerson();
  const socket = new RawSocket(`${gatewayUrl.replace('http', 'ws')}/ws?token=${person.accessToken}`);
  const first = await new Promise<Data>((resolve) =>
    socket.once('message', (data) => resolve(JSON.parse(String(data)))),
  );
  assert.equal(first.type, 'welcome');
  assert.deepEqual([first.data.userId, first.data.heartbeatMs], [person.id, 30_000]);
  socket.close();
});

test('the documents and health are open to everybody', async () => {
  for (const path of ['/healthz', '/readyz', '/openapi.json', '/asyncapi.json']) {
    const { status } = await raw('GET', path, {});
    assert.equal(status, 200, path);
  }
  const openapi = (await raw('GET', '/openapi.json', {})).body;
  assert.ok(openapi.paths['/conversations/{id}/messages']?.post);
  assert.equal((await fetch(new URL('/docs', gatewayUrl))).status, 200);
});
