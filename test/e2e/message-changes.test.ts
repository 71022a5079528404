import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../clients/sdk/rest.ts';
import {
  chat,
  type Data,
  gateway2Url,
  newFriends,
  newGroup,
  newPeople,
  type Person,
  refused,
} from '../support/people/people.ts';

const pathOf = (conversationId: string, messageId: number) =>
  `/conversations/${conversationId}/messages/${messageId}`;

const send = async (person: Person, conversationId: string, content: string, fields: object = {}) => {
  const body = { clientMsgId: content.slice(0, 30), content, ...fields };
  const { message } = await person.rest.post<{ message: Message }>(
    `/conversations/${conversationId}/messages`,
    body,
  );
  return message;
};

const edit = async (person: Person, { conversationId, id }: Message, body: object) =>
  (await person.rest.patch<{ message: Message }>(pathOf(conversationId, id), body)).message;

test('an edit reaches every session of every member, and history, list and sync show it', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const sockets = [await chat(ann), await chat(ann, gateway2Url), await chat(bob)];
  const sent = await send(ann, conversationId, 'See you at eihgt', {
    metadata: { draft: [1, { deep: true }] },
  });
  assert.deepEqual([sent.changeSeq, sent.metadata], [0, { draft: [1, { deep: true }] }]);
  const edited = await edit(ann, sent, { content: 'See you at eight' });
  assert.deepEqual(edited, {
    ...sent,
    content: 'See you at eight',
    changeSeq: 1,
    editedAt: edited.editedAt,
  });
  for (const socket of sockets) {
    const told = await socket.expect('message-changed');
    assert.deepEqual(told, { conversationId, changeSeq: 1, message: edited });
    await socket.close();
  }
  const { messages } = await bob.rest.messagesAfter(conversationId, 0);
  assert.deepEqual(messages, [edited]);
  assert.deepEqual(await bob.rest.get(pathOf(conversationId, sent.id)), { message: edited });
  const { conversations } = await bob.rest.get<Data>('/conversations');
  const { lastMessage, lastChangeSeq } = conversations.find((one: Data) => one.id === conversationId);
  assert.deepEqual([lastMessage, lastChangeSeq], [edited, 1]);
  const synced = await bob.rest.post<Data>('/sync', {
    cursors: { [conversationId]: 1 },
    changes: { [conversationId]: 0 },
  });
  assert.deepEqual(synced.changes, [{ conversationId, changeSeq: 1, message: edited }]);
});

test('metadata comes with the message over the socket', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [annChat, bobChat] = [await chat(ann), await chat(bob)];
  const metadata = { color: 'blue', list: [1, 'two', null] };
  annChat.send('send-message', { conversationId, clientMsgId: 'm', content: 'x', metadata });
  assert.deepEqual((await bobChat.expect('new-message')).metadata, metadata);
  const large = { text: 'x'.repeat(4096) };
  annChat.send('send-message', { conversationId, clientMsgId: 'l', content: 'x', metadata: large });
  const error = await annChat.expect('error', (data) => data.clientMsgId === 'l');
  assert.equal(error.code, 'MESSAGE_TOO_LARGE');
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('changes come in the order of their numbers, none before its message, while people talk', async () => {
  const [owner, ...others] = (await newPeople(3)) as [Person, Person, Person];
  const conversationId = await newGroup(owner, others);
  const [ownerChat, watcher] = [await chat(owner), await chat(others[0], gateway2Url)];
  const count = 30;
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const { messageId } = await ownerChat.say(conversationId, `first ${n}`);
      await owner.rest.patch(pathOf(conversationId, messageId), { content: `second ${n}` });
    }),
  );
  await watcher.expect('message-changed', ({ changeSeq }) => changeSeq === count);
  const seen = new Set<number>();
  let last = 0;
  for (const { type, data } of watcher.frames) {
    if (type === 'new-message') seen.add(data.id);
    if (type !== 'message-changed') continue;
    assert.ok(seen.has(data.message.id), 'a change came before its message');
    last += 1;
    assert.equal(data.changeSeq, last);
  }
  assert.equal(last, count);
  await Promise.all([ownerChat.close(), watcher.close()]);
});

test('what an edit may not be is refused with its code', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const sent = await send(ann, conversationId, 'hello');
  const attempt = (person: Person, body: object, id = sent.id) =>
    person.rest.patch(pathOf(conversationId, id), body);
  await refused(attempt(ann, {}), 400, 'INVALID_ARGUMENT');
  await refused(attempt(ann, { content: '' }), 400, 'INVALID_ARGUMENT');
  await refused(attempt(ann, { content: 5 }), 400, 'INVALID_ARGUMENT');
  await refused(attempt(ann, { metadata: null }), 400, 'INVALID_ARGUMENT');
  await refused(attempt(ann, { metadata: [1] }), 400, 'INVALID_ARGUMENT');
  await refused(attempt(ann, { metadata: { text: 'x'.repeat(4096) } }), 413, 'MESSAGE_TOO_LARGE');
  await refused(attempt(ann, { content: 'x'.repeat(4001) }), 413, 'MESSAGE_TOO_LARGE');
  await refused(attempt(bob, { content: 'mine' }), 403, 'PERMISSION_DENIED');
  await refused(attempt(ann, { content: 'x' }, 12345), 404, 'MESSAGE_NOT_FOUND');
  await ann.rest.delete(pathOf(conversationId, sent.id));
  await refused(attempt(ann, { content: 'x' }), 404, 'MESSAGE_NOT_FOUND');
});

test('a recall is told as such and as a change', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const bobChat = await chat(bob);
  const sent = await send(ann, conversationId, 'oops', { metadata: { a: 1 } });
  await ann.rest.delete(pathOf(conversationId, sent.id));
  await bobChat.expect('message-recalled', ({ messageId }) => messageId === sent.id);
  const { changeSeq, message } = await bobChat.expect('message-changed');
  const { metadata: _, ...kept } = sent;
  assert.deepEqual([changeSeq, message], [1, { ...kept, content: '', deleted: true, changeSeq: 1 }]);
  await bobChat.close();
});

test('a page around a message, over REST', async () => {
  const { ann, conversationId } = await newFriends();
  for (let n = 1; n <= 5; n += 1) await send(ann, conversationId, `${n}`);
  const { messages, hasOlder, hasNewer } = await ann.rest.get<Data>(
    `/conversations/${conversationId}/messages?aroundSeq=3&limit=3`,
  );
  assert.deepEqual(
    [messages.map(({ seqId }: Message) => seqId), hasOlder, hasNewer],
    [[2, 3, 4], true, true],
  );
  await refused(
    ann.rest.get(`/conversations/${conversationId}/messages?aroundSeq=3&beforeSeq=2`),
    400,
    'INVALID_ARGUMENT',
  );
});
