import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { scene, seqIds, start } from '../testing/client-scene.ts';
import { createPretendNetwork } from '../testing/pretend-network.ts';
import { createActions } from './api/actions.ts';
import { emptyState } from './model/model.ts';
import { memoryStorage } from './storage/memory.ts';

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
  const all = createActions({
    api: async () => undefined as never,
    dispatch: async () => {},
    state: emptyState(),
  });
  const { direct: _, ...groups } = all.groups;
  assert.deepEqual(Object.keys(client.friends).sort(), Object.keys(all.friends).sort());
  assert.deepEqual(Object.keys(client.groups).sort(), [...Object.keys(groups), 'members'].sort());
  assert.deepEqual(Object.keys(client.groups.members).sort(), Object.keys(all.members).sort());
  assert.deepEqual(Object.keys(client.users).sort(), Object.keys(all.users).sort());
  for (const name of Object.keys(all.search)) assert.ok(name in client);
});
