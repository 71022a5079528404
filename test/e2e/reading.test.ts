import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conversation, Message } from '../../clients/sdk/rest.ts';
import { chat, type Data, gateway2Url, newFriends, type Person, refused } from '../support/people/people.ts';

const post = (person: Person, conversationId: string, body: Record<string, unknown>) =>
  person.rest.post<{ message: Message }>(`/conversations/${conversationId}/messages`, body);

test('unread counts are exact: sending is reading, marking never goes back, recalled ones do not count', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const annChat = await chat(ann);
  const bobChat = await chat(bob);
  const acks = [];
  for (let n = 1; n <= 5; n += 1) acks.push(await annChat.say(conversationId, `m${n}`));
  const seen = async (person: Person) => {
    const { conversations } = await person.rest.get<{ conversations: Conversation[] }>('/conversations');
    const one = conversations.find(({ id }) => id === conversationId);
    const single = (await person.rest.get<{ conversation: Conversation }>(`/conversations/${conversationId}`))
      .conversation;
    assert.deepEqual([one?.unreadCount, one?.lastReadSeqId], [single.unreadCount, single.lastReadSeqId]);
    return [one?.unreadCount, one?.lastReadSeqId, one?.lastSeqId];
  };
  assert.deepEqual(await seen(ann), [0, 5, 5]);
  assert.deepEqual(await seen(bob), [5, 0, 5]);
  const read = (seqId: number) => bob.rest.put<Data>(`/conversations/${conversationId}/read`, { seqId });
  assert.deepEqual(await read(3), { lastReadSeqId: 3, unreadCount: 2 });
  assert.deepEqual(await read(1), { lastReadSeqId: 3, unreadCount: 2 });
  assert.deepEqual(await seen(bob), [2, 3, 5]);
  await refused(read(6), 400, 'INVALID_ARGUMENT');

  const receipt = await annChat.expect('message-read', (data) => data.seqId === 3);
  assert.deepEqual(receipt, { conversationId, userId: bob.id, seqId: 3 });
  await ann.rest.delete(`/conversations/${conversationId}/messages/${acks[3]?.messageId}`);
  assert.deepEqual(await seen(bob), [1, 3, 5]);

  bobChat.send('mark-read', { conversationId, seqId: 5 });
  await annChat.expect('message-read', (data) => data.seqId === 5);
  assert.deepEqual(await seen(bob), [0, 5, 5]);
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('an answer is followed by a read receipt for the other user and one’s own other session, and a later read mark causes no second one', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [phone, desktop, bobChat] = [await chat(ann), await chat(ann, gateway2Url), await chat(bob)];
  await bobChat.say(conversationId, 'a question');
  await phone.say(conversationId, 'an answer');
  const read = { conversationId, userId: ann.id, seqId: 2 };
  for (const told of [bobChat, desktop]) {
    assert.deepEqual(await told.expect('message-read', ({ userId }) => userId === ann.id), read);
    const types = told.frames.filter(({ data }) => data?.seqId === 2).map(({ type }) => type);
    assert.deepEqual(types, ['new-message', 'message-read']);
  }
  phone.send('mark-read', { conversationId, seqId: 1 });
  phone.send('mark-read', { conversationId, seqId: 2 });
  await ann.rest.put(`/conversations/${conversationId}/read`, { seqId: 2 });
  // The receipt for 'thanks' is the only one: the marks above moved no pointer.
  await bobChat.say(conversationId, 'thanks');
  assert.equal((await phone.expect('message-read')).userId, bob.id);
  assert.deepEqual(phone.all('message-read'), [{ conversationId, userId: bob.id, seqId: 3 }]);
  assert.deepEqual(bobChat.all('message-read'), [read]);
  await Promise.all([phone, desktop, bobChat].map((one) => one.close()));
});

test('users in a block get no read receipts of each other', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [annChat, bobChat] = [await chat(ann), await chat(bob)];
  await bobChat.say(conversationId, 'unread');
  await ann.rest.put(`/blocks/${bob.id}`);
  await ann.rest.put(`/conversations/${conversationId}/read`, { seqId: 1 });
  // Her own session hears of it, by the way that would have told him.
  await annChat.expect('message-read');
  await bobChat.settled();
  assert.deepEqual(bobChat.all('message-read'), []);
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('reading in one session sends a receipt to the reader’s other sessions', async () => {
  const { ann, bob, conversationId } = await newFriends();
  await post(ann, conversationId, { clientMsgId: 'a', content: 'x' });
  const [reading, other] = [await chat(bob), await chat(bob, gateway2Url)];
  reading.send('mark-read', { conversationId, seqId: 1 });
  assert.deepEqual(await other.expect('message-read'), { conversationId, userId: bob.id, seqId: 1 });
  await reading.settled();
  assert.deepEqual(reading.all('message-read'), []);
  await Promise.all([reading.close(), other.close()]);
});
