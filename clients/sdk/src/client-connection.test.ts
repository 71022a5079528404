import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { scene, start } from '../testing/client-scene.ts';
import { createPretendNetwork } from '../testing/pretend-network.ts';
import { memoryStorage } from './storage/memory.ts';

test('a client that is connected twice has one socket, and tells each message once, also after reconnects', async () => {
  const { network, client, told } = await scene();
  await Promise.all([client.connect(), client.connect()]);
  assert.equal(network.sockets(), 1);
  network.server.otherSends(0, 'other');
  await eventually(() => told.length === 1);
  for (let n = 2; n <= 4; n += 1) {
    network.close(1006);
    network.server.otherSends(0, 'other');
    await eventually(() => told.length === n);
  }
  assert.deepEqual(told, [1, 2, 3, 4]);
  await client.disconnect();
  await client.disconnect();
  assert.equal(client.connection.get().state, 'online', 'somebody still needs it');
  await client.disconnect();
  assert.equal(client.connection.get().state, 'offline');
});

test('a screen that goes and comes at once, as under StrictMode, keeps the connection', async () => {
  const network = createPretendNetwork();
  network.server.create();
  const { client } = start(network);
  const first = client.connect();
  const gone = client.disconnect();
  const second = client.connect();
  await Promise.all([first, gone, second]);
  assert.equal(network.sockets(), 1);
  assert.equal(client.connection.get().state, 'online');
  await client.disconnect();
});

test('a token that is refused is refreshed once, and a session that is over signs in once more', async () => {
  const { network, client } = await scene();
  network.tokens.valid = false;
  await Promise.all([client.friends.list(), client.users.search('x'), client.friends.list()]).catch(() => {});
  assert.equal(network.calls.filter((call) => call === 'POST /auth/refresh').length, 1);
  network.tokens.valid = false;
  network.tokens.refreshable = false;
  await client.users.search('x').catch(() => {});
  assert.equal(network.calls.filter((call) => call === 'POST /auth/login').length, 2);
  assert.equal(client.connection.get().state, 'online');
  await client.disconnect();
});

test('a server that refuses every token is not asked again and again: the session ends, and connect begins anew', async () => {
  const network = createPretendNetwork();
  let isBroken = true;
  network.set({
    refuse: (call) =>
      isBroken && !call.startsWith('POST /auth/') ? { status: 401, code: 'UNAUTHENTICATED' } : undefined,
  });
  const broken = network.webSocket;
  const webSocket = class {
    constructor(url: string, protocols: string[]) {
      // biome-ignore lint/correctness/noConstructorReturn: it stands for one of two sockets.
      return new broken(url, isBroken ? [] : protocols);
    }
  } as unknown as typeof broken;
  const { client } = start(network, { webSocket });
  await assert.rejects(client.connect(), { code: 'UNAUTHENTICATED' });
  assert.equal(client.connection.get().state, 'ended');
  assert.ok(network.calls.length < 15, network.calls.join());
  isBroken = false;
  await client.connect();
  assert.equal(client.connection.get().state, 'online');
  await client.disconnect();
});

test('while sockets are blocked, a client whose calls are answered stays signed in however often its token is renewed', async () => {
  const network = createPretendNetwork();
  const blocked = class extends network.webSocket {
    constructor(url: string) {
      super(url, ['gochat.v1', 'bearer.unknown']);
    }
  };
  const { client, states } = start(network, { webSocket: blocked });
  client.connect().catch(() => {});
  await eventually(() => states.includes('offline'));
  for (let n = 0; n < 5; n += 1) {
    network.tokens.valid = false;
    await client.call('GET /users/profile');
  }
  assert.notEqual(client.connection.get().state, 'ended');
  await client.disconnect();
});

test('4001 ends the session, 4003 comes back within a second', async () => {
  const { network, client, states } = await scene();
  network.close(4003);
  await eventually(() => network.sockets() === 2 && client.connection.get().state === 'online', 1000);
  network.close(4001);
  await eventually(() => client.connection.get().state === 'ended');
  assert.deepEqual(states, ['connecting', 'online', 'offline', 'connecting', 'online', 'ended']);
  await client.connect();
  assert.equal(client.connection.get().state, 'online');
  await client.disconnect();
});

test('a client that another one replaced by signing in as somebody else keeps nothing of the first', async () => {
  const storage = memoryStorage();
  const { network, client, room } = await scene({ storage });
  room.draft.set('private');
  await room.send({ text: 'hello' }).stored;
  await client.disconnect();
  const other = start(network, { storage, credentials: { username: 'other', password: 'x' } });
  const states: string[][] = [];
  other.client.conversations.subscribe(() =>
    states.push(other.client.conversations.get().map(({ conversation }) => conversation.id)),
  );
  await other.client.connect();
  assert.equal(other.client.conversation('1').get().draft, '');
  assert.deepEqual(states[0], []);
  await other.client.disconnect();
});

test('a client is disconnected at once, even while a call hangs', async () => {
  const network = createPretendNetwork();
  network.server.create();
  let hangs = false;
  const fetch = ((...request: Parameters<typeof network.fetch>) =>
    hangs ? new Promise(() => {}) : network.fetch(...request)) as typeof network.fetch;
  const { client } = start(network, { fetch });
  await client.connect();
  hangs = true;
  network.close(1006);
  await eventually(() => network.sockets() === 2);
  const before = Date.now();
  await client.disconnect();
  assert.ok(Date.now() - before < 1000);
});
