import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Data, newFriends, newGroup, newPerson, refused } from '../support/people/people.ts';

test('sync returns all missed messages in one call, and what was recalled or left', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const groupId = await newGroup(ann, [bob]);
  const say = (id: string, text: string) =>
    ann.rest.post<{ message: Data }>(`/conversations/${id}/messages`, { clientMsgId: text, content: text });
  const first = await say(conversationId, 'one');
  const before = await bob.rest.post<Data>('/sync', { cursors: {} });
  assert.ok(Math.abs(before.serverTime - Date.now()) < 60_000);
  assert.deepEqual(
    before.conversations
      .map((entry: Data) => [
        entry.conversation.id,
        entry.messages.map(({ content }: Data) => content),
        entry.hasMore,
      ])
      .sort(),
    [
      [conversationId, ['one'], false],
      [groupId, [], false],
    ].sort(),
  );

  await say(conversationId, 'two');
  await say(groupId, 'three');
  await ann.rest.delete(`/conversations/${conversationId}/messages/${first.message.id}`);
  const cursors = { [conversationId]: 1, [groupId]: 0 };
  const missed = await bob.rest.post<Data>('/sync', { cursors, since: before.serverTime });
  const texts = Object.fromEntries(
    missed.conversations.map((entry: Data) => [
      entry.conversation.id,
      entry.messages.map(({ content }: Data) => content),
    ]),
  );
  assert.deepEqual([texts[conversationId], texts[groupId]], [['two'], ['three']]);
  assert.deepEqual(missed.recalled, [{ conversationId, seqId: 1 }]);
  assert.deepEqual(missed.removed, []);

  await ann.rest.delete(`/conversations/${groupId}/members/${bob.id}`);
  const after = await bob.rest.post<Data>('/sync', { cursors: { [conversationId]: 2, [groupId]: 1 } });
  assert.deepEqual(after.removed, [groupId]);
});

test('sync returns parts, the oldest messages first, and continues with advanced cursors', async () => {
  const { ann, bob, conversationId } = await newFriends();
  for (let n = 1; n <= 7; n += 1) {
    await ann.rest.post(`/conversations/${conversationId}/messages`, {
      clientMsgId: `m${n}`,
      content: `m${n}`,
    });
  }
  const seqs: number[] = [];
  for (let more = true; more; ) {
    const answer = await bob.rest.post<Data>('/sync', {
      cursors: { [conversationId]: seqs.at(-1) ?? 0 },
      limitPerConversation: 3,
    });
    for (const { messages } of answer.conversations) seqs.push(...messages.map(({ seqId }: Data) => seqId));
    more = answer.hasMore;
  }
  assert.deepEqual(seqs, [1, 2, 3, 4, 5, 6, 7]);
});

test('the world room comes only when the cursors name it', async () => {
  const person = await newPerson();
  const quiet = await person.rest.post<Data>('/sync', { cursors: {} });
  assert.deepEqual(quiet.conversations, []);
  const { conversations } = await person.rest.get<Data>('/conversations');
  const world = conversations[0];
  await person.rest.post(`/conversations/${world.id}/messages`, { clientMsgId: 'w', content: 'hello world' });
  const named = await person.rest.post<Data>('/sync', { cursors: { [world.id]: world.lastSeqId } });
  assert.ok(named.conversations[0].messages.some(({ content }: Data) => content === 'hello world'));
});

test('a cursor above the head starts the conversation again', async () => {
  const { ann, bob, conversationId } = await newFriends();
  for (const text of ['one', 'two']) {
    await ann.rest.post(`/conversations/${conversationId}/messages`, { clientMsgId: text, content: text });
  }
  const beyond = await bob.rest.post<Data>('/sync', { cursors: { [conversationId]: 999 } });
  const [entry] = beyond.conversations;
  assert.deepEqual(
    [entry.conversation.lastSeqId, entry.messages.map(({ content }: Data) => content), entry.reset],
    [2, ['one', 'two'], true],
  );
  const within = await bob.rest.post<Data>('/sync', { cursors: { [conversationId]: 1 } });
  assert.equal('reset' in within.conversations[0], false);
});

test('cursors that make no sense are refused', async () => {
  const person = await newPerson();
  for (const cursors of [[], 'x', { a: 'b' }, { 1: -1 }, { 1: 1.5 }, { 1: 1e300 }]) {
    await refused(person.rest.post('/sync', { cursors }), 400, 'INVALID_ARGUMENT');
  }
});
