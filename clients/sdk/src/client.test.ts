import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { createPretendNetwork, type PretendNetwork } from '../testing/pretend-network.ts';
import { createPeople } from './api/people.ts';
import { type ClientOptions, createClient } from './client.ts';
import type { Connection } from './engine/connection.ts';
import { memoryStorage } from './storage/memory.ts';
import type { GoChatError } from './transport/errors.ts';

function start(network: PretendNetwork, options: Partial<ClientOptions> = {}) {
  const client = createClient({
    url: 'http://chat.test',
    credentials: { username: 'me', password: 'secret' },
    fetch: network.fetch,
    webSocket: network.webSocket,
    random: () => 0,
    ...options,
  });
  const told: number[] = [];
  const errors: GoChatError[] = [];
  const states: Connection['state'][] = [];
  client.on('message', ({ seqId }) => told.push(seqId));
  client.on('error', (error) => errors.push(error));
  client.on('connection', ({ state }) => states.push(state));
  return { client, told, errors, states };
}

/** A network with a conversation, and a client that is online in it. */
async function scene(options: Partial<ClientOptions> = {}) {
  const network = createPretendNetwork();
  network.server.create();
  const one = start(network, options);
  await one.client.connect();
  return { network, ...one, room: one.client.conversation('1') };
}

const seqIds = (messages: readonly { seqId: number }[]) => messages.map(({ seqId }) => seqId);

test('a message whose acknowledgement was lost is found stored after the reconnect, and sent once', async () => {
  const { network, client, room, told } = await scene();
  network.set({ loseAcks: true });
  const sent = room.send({ text: 'hello' });
  await eventually(() => network.server.messagesOf('1').length === 1);
  assert.equal(sent.get().status, 'sending');
  network.close(1006);
  const message = await sent.stored;
  assert.equal(message.seqId, 1);
  assert.equal(network.server.messagesOf('1').length, 1);
  assert.deepEqual(seqIds(room.get().messages), [1]);
  assert.deepEqual(told, [], 'it is this client’s own');
  await client.disconnect();
});

test('what is written offline survives a restart and is sent in order, once the network is back', async () => {
  const storage = memoryStorage();
  const { network, client, room } = await scene({ storage });
  network.down();
  await eventually(() => client.connection.get().state !== 'online');
  room.draft.set('half a thou');
  const saved = ['one', 'two', 'three'].map((text) => room.send({ text }));
  await Promise.all(saved.map((sent) => sent.saved));
  // No disconnect: the process is gone.
  const again = start(network, { storage });
  const connecting = again.client.connect();
  await eventually(() => again.client.connection.get().state === 'offline');
  const restored = again.client.conversation('1');
  assert.deepEqual(
    restored.get().messages.map(({ content, status }) => [content, status]),
    [
      ['one', 'queued'],
      ['two', 'queued'],
      ['three', 'queued'],
    ],
  );
  assert.equal(restored.get().draft, 'half a thou');
  assert.equal(restored.get().conversation?.id, '1');
  await client.disconnect();
  network.up();
  await connecting;
  await eventually(() => network.server.messagesOf('1').length === 3);
  await eventually(() => restored.get().messages.every(({ status }) => status === undefined));
  assert.deepEqual(
    network.server.messagesOf('1').map(({ clientMsgId }) => clientMsgId),
    saved.map(({ clientMsgId }) => clientMsgId),
  );
  assert.deepEqual(again.told, []);
  await again.client.disconnect();
});

test('a message that failed is sent again by retry, and its promise is a new one', async () => {
  const { network, client, room } = await scene();
  network.set({ refuseFrame: () => ({ code: 'MEMBER_MUTED', retryable: false }) });
  const sent = room.send({ text: 'hello' });
  await assert.rejects(sent.stored, { code: 'MEMBER_MUTED' });
  assert.equal(sent.get().status, 'failed');
  network.set({ refuseFrame: () => undefined });
  sent.retry();
  assert.equal((await sent.stored).seqId, 1);
  assert.equal(sent.get().status, 'sent');
  assert.equal(room.get().messages.length, 1);
  await client.disconnect();
});

test('while one message is refused for now, later ones of its conversation wait, and those of others do not', async () => {
  const { network, client, room } = await scene();
  network.server.create();
  await eventually(() => client.conversations.get().length === 2);
  let refusals = 2;
  const first = room.send({ text: 'first' });
  network.set({
    refuseFrame: (id) => {
      if (id !== first.clientMsgId || refusals === 0) return undefined;
      refusals -= 1;
      return { code: 'UNAVAILABLE', retryable: true };
    },
  });
  const second = room.send({ text: 'second' });
  const elsewhere = client.conversation('2').send({ text: 'elsewhere' });
  await elsewhere.stored;
  assert.deepEqual([first.get().status, second.get().status], ['queued', 'queued']);
  assert.deepEqual(
    (await Promise.all([first.stored, second.stored])).map(({ seqId }) => seqId),
    [1, 2],
  );
  await client.disconnect();
});

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

test('reading counts at once, also offline, and the server hears of it when the network is back', async () => {
  const { network, client, room } = await scene();
  for (let n = 0; n < 3; n += 1) network.server.otherSends(0, 'other');
  await eventually(() => room.get().unreadCount === 3);
  network.down();
  await eventually(() => client.connection.get().state === 'offline');
  room.markRead(2);
  assert.deepEqual([room.get().unreadCount, room.get().firstUnreadSeq], [1, 3]);
  network.up();
  await eventually(() => network.server.conversation('1')?.lastReadSeqId === 2);
  assert.equal(room.get().unreadCount, 1);
  room.markRead();
  await eventually(() => network.server.conversation('1')?.unreadCount === 0);
  assert.equal(client.conversations.get()[0]?.unreadCount, 0);
  await client.disconnect();
});

test('drafts stay with their conversations', async () => {
  const { network, client } = await scene();
  network.server.create();
  await eventually(() => client.conversations.get().length === 2);
  const [one, two] = [client.conversation('1'), client.conversation('2')];
  one.draft.set('for one');
  two.draft.set('for two');
  assert.deepEqual([one.get().draft, two.get().draft], ['for one', 'for two']);
  one.draft.set('');
  assert.deepEqual([one.get().draft, two.get().draft], ['', 'for two']);
  await client.disconnect();
});

test('a hole in the messages is filled before what follows is told', async () => {
  const { network, client, told, room } = await scene();
  for (let n = 0; n < 3; n += 1) network.server.otherSends(0, 'other');
  await eventually(() => told.length === 3);
  network.close(1006);
  for (let n = 0; n < 2; n += 1) network.server.otherSends(0, 'other');
  await eventually(() => told.length === 5);
  // The server stores 6 and 7, and only the frame of 7 arrives.
  network.server.disconnect();
  for (let n = 0; n < 2; n += 1) network.server.otherSends(0, 'other');
  const last = network.server.messagesOf('1').at(-1);
  assert.ok(last);
  network.deliver({ type: 'new-message', data: last });
  assert.deepEqual(told, [1, 2, 3, 4, 5]);
  await eventually(() => told.length === 7);
  assert.deepEqual(told, [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(seqIds(room.get().messages), told);
  await client.disconnect();
});

test('snapshots keep their identity where nothing changed', async () => {
  const { network, client, told, room } = await scene();
  network.server.create();
  await eventually(() => client.conversations.get().length === 2);
  const other = client.conversation('2');
  const [before, list] = [other.get(), client.conversations.get()];
  const itemOf = (id: string) =>
    client.conversations.get().find(({ conversation }) => conversation.id === id);
  const item = itemOf('2');
  network.server.otherSends(0, 'other');
  await eventually(() => told.length === 1);
  assert.equal(other.get(), before);
  assert.equal(itemOf('2'), item);
  assert.notEqual(client.conversations.get(), list);
  assert.equal(room.get(), room.get());
  assert.equal(client.conversations.get(), client.conversations.get());
  await client.disconnect();
});

test('after 10,000 messages the client holds no more than the latest ones', async () => {
  const { network, client, told, room } = await scene();
  for (let n = 0; n < 10_000; n += 1) network.server.otherSends(0, 'other');
  await eventually(() => told.length === 10_000);
  assert.equal(room.get().messages.length, 200);
  assert.deepEqual(told.slice(0, 3), [1, 2, 3]);
  await room.loadOlder();
  assert.equal(room.get().messages.length, 250);
  room.subscribe(() => {})();
  await eventually(() => room.get().messages.length === 200);
  await client.disconnect();
});

test('where nothing can be stored the client works, and says so', async () => {
  const network = createPretendNetwork();
  network.server.create();
  const broken = () => Promise.reject(new Error('no room'));
  const storage = {
    createPersister: () => ({
      ...{ load: broken, flush: broken, claim: broken, clear: broken },
      changed() {},
      put() {},
    }),
  };
  const { client, errors } = start(network, { storage });
  await client.connect();
  await client.conversation('1').send({ text: 'hello' }).stored;
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['no room'],
  );
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

test('an edit shows at once where it was made, is told once, and a hole in the changes is filled', async () => {
  const { network, client, room, told } = await scene();
  const changed: string[] = [];
  client.on('message-changed', ({ message }) => changed.push(`${message.seqId}: ${message.content}`));
  for (let n = 0; n < 3; n += 1) network.server.otherSends(0, 'other');
  await eventually(() => told.length === 3);
  network.server.edit(0, 0);
  await eventually(() => changed.length === 1);
  assert.equal(room.get().messages[0]?.content, 'edited');
  // The frame of the second change is lost, the one of the third comes.
  network.server.disconnect();
  network.server.edit(0, 1);
  network.server.edit(0, 2);
  const message = network.server.messagesOf('1')[2];
  assert.ok(message);
  network.deliver({ type: 'message-changed', data: { conversationId: '1', changeSeq: 3, message } });
  assert.deepEqual(changed, ['1: edited']);
  await eventually(() => changed.length === 3);
  assert.deepEqual(changed, ['1: edited', '2: edited', '3: edited']);
  assert.deepEqual(
    room.get().messages.map(({ content }) => content),
    ['edited', 'edited', 'edited'],
  );
  assert.deepEqual(told, [1, 2, 3], 'a change is no news');
  await client.disconnect();
});

test('every call about people is there', async () => {
  const { client } = start(createPretendNetwork());
  const all = createPeople({ api: async () => undefined as never, dispatch: async () => {}, myId: () => '' });
  const { direct: _, ...groups } = all.groups;
  assert.deepEqual(Object.keys(client.friends).sort(), Object.keys(all.friends).sort());
  assert.deepEqual(Object.keys(client.groups).sort(), [...Object.keys(groups), 'members'].sort());
  assert.deepEqual(Object.keys(client.groups.members).sort(), Object.keys(all.members).sort());
  assert.deepEqual(Object.keys(client.users).sort(), Object.keys(all.users).sort());
});
