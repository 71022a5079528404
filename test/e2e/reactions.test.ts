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

const reactionPath = ({ conversationId, id }: Message, emoji: string) =>
  `/conversations/${conversationId}/messages/${id}/reactions/${encodeURIComponent(emoji)}`;

const send = async (person: Person, conversationId: string, content = 'hello') => {
  const { message } = await person.rest.post<{ message: Message }>(
    `/conversations/${conversationId}/messages`,
    { clientMsgId: content, content },
  );
  return message;
};

test('a reaction reaches every session of every member, and is shown in history and lists', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const sockets = [await chat(ann), await chat(bob, gateway2Url)];
  const sent = await send(ann, conversationId);
  await bob.rest.put(reactionPath(sent, '❤️'));
  await bob.rest.put(reactionPath(sent, '❤️'));
  const message = {
    ...sent,
    changeSeq: 1,
    reactions: [{ emoji: '❤️', count: 1, userIds: [bob.id] }],
  };
  for (const socket of sockets) {
    assert.deepEqual(await socket.expect('message-changed'), {
      conversationId,
      changeSeq: 1,
      message,
      reacted: [{ userId: bob.id, emoji: '❤️', on: true }],
    });
  }
  assert.deepEqual((await ann.rest.messagesAfter(conversationId, 0)).messages, [message]);
  const list = await ann.rest.get<Data>(
    `/conversations/${conversationId}/messages/${sent.id}/reactions?emoji=${encodeURIComponent('❤️')}`,
  );
  assert.deepEqual([list.reactions[0].emoji, list.reactions[0].user, list.hasMore], ['❤️', bob.user, false]);
  const own = await bob.rest.get<Data>(`/conversations/${conversationId}/my-reactions?fromSeq=1&toSeq=1`);
  assert.deepEqual(own.reactions, [{ messageId: sent.id, emoji: '❤️' }]);
  await bob.rest.delete(reactionPath(sent, '❤️'));
  await bob.rest.delete(reactionPath(sent, '❤️'));
  const last = await sockets[0]?.expect('message-changed', ({ changeSeq }) => changeSeq === 2);
  assert.deepEqual(
    [last.message.reactions, last.reacted],
    [undefined, [{ userId: bob.id, emoji: '❤️', on: false }]],
  );
  await refused(bob.rest.put(reactionPath(sent, 'xx')), 400, 'INVALID_ARGUMENT');
  for (const socket of sockets) await socket.close();
});

test('many reactions at once are few frames without a hole, whose last one says it all', async () => {
  const people = (await newPeople(12)) as [Person, Person, ...Person[]];
  const conversationId = await newGroup(people[0], people.slice(1));
  const watcher = await chat(people[1]);
  const sent = await send(people[0], conversationId);
  const emojis = ['👍', '🎉', '😀'];
  const from = performance.now();
  await Promise.all(
    people.flatMap((person) => emojis.map((emoji) => person.rest.put(reactionPath(sent, emoji)))),
  );
  const total = people.length * emojis.length;
  const countOf = ({ message }: Data) =>
    (message.reactions ?? []).reduce((sum: number, { count }: { count: number }) => sum + count, 0);
  await watcher.expect('message-changed', (data) => countOf(data) === total);
  await watcher.settled();
  const frames = watcher.all('message-changed');
  const seconds = (performance.now() - from) / 1000;
  assert.ok(frames.length <= 4 * seconds + 2, `${frames.length} frames in ${seconds} s`);
  assert.deepEqual(
    frames.map(({ changeSeq }) => changeSeq),
    frames.map((_, index) => index + 1),
  );
  const told = frames.flatMap(({ reacted }) => reacted.map(({ userId, emoji }: Data) => userId + emoji));
  assert.equal(new Set(told).size, total);
  await watcher.close();
});

test('pinned messages are listed and shown as such, and told to every member', async () => {
  const [owner, bob] = (await newPeople(2)) as [Person, Person];
  const conversationId = await newGroup(owner, [bob]);
  const bobChat = await chat(bob);
  const sent = await send(bob, conversationId);
  const path = `/conversations/${conversationId}/pins/${sent.id}`;
  await refused(bob.rest.put(path), 403, 'PERMISSION_DENIED');
  await owner.rest.put(path);
  const pinned = { ...sent, changeSeq: 1, pinned: true };
  assert.deepEqual(await bobChat.expect('message-changed'), {
    conversationId,
    changeSeq: 1,
    message: pinned,
  });
  assert.deepEqual(await bob.rest.get(`/conversations/${conversationId}/pins`), { messages: [pinned] });
  await owner.rest.delete(path);
  const { message } = await bobChat.expect('message-changed', ({ changeSeq }) => changeSeq === 2);
  assert.equal(message.pinned, undefined);
  await bobChat.close();
});
