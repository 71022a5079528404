import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessagesStored } from '../../../../lib/records/records.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

/** What the outbox says was stored in a conversation: first and last seq ids. */
async function told(conversationId: string): Promise<[number, number][]> {
  const events = (await repo.events()) as Partial<MessagesStored>[];
  return events
    .flatMap(({ conversations = [] }) => conversations)
    .filter(({ conversation_id }) => conversation_id === conversationId)
    .map(({ first_seq_id, last_seq_id }) => [first_seq_id, last_seq_id]);
}

test('messages without an upstream record are told with their commit; the consumer of the upstream topic tells the others', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const other = await repo.newConversation(users);
  const [ann, bob] = users;
  const noSource = { sourcePartition: -1, sourceOffset: -1 };
  await repo.save(repo.newMessage(id, ann), repo.newMessage(id, bob));
  assert.deepEqual(await told(id), []);
  const given = [repo.newMessage(id, ann, noSource), repo.newMessage(id, bob, noSource)];
  await repo.save(...given, repo.newMessage(id, ann), repo.newMessage(other, ann, noSource));
  assert.deepEqual(await told(id), [[3, 4]]);
  assert.deepEqual(await told(other), [[1, 1]]);
  // A retry stores nothing.
  await repo.save(...given);
  assert.deepEqual(await told(id), [[3, 4]]);
  await repo.messages.saveMessage({ message: repo.newMessage(id, ann) });
  assert.deepEqual(await told(id), [
    [3, 4],
    [6, 6],
  ]);
});

test('imported messages are told with their commit, and not again by a repeat', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const line = (n: number) => ({
    sourceId: `line ${n}`,
    senderId: users[0],
    messageType: 1,
    content: `said ${n}`,
    mentions: [],
    createdAt: n,
  });
  const importAll = (...messages: ReturnType<typeof line>[]) =>
    repo.messages.importMessages({ conversationId: id, source: 'old chat', messages });
  await importAll(line(1), line(2));
  await importAll(line(1), line(2), line(3));
  await importAll(line(1), line(2), line(3));
  assert.deepEqual(await told(id), [
    [1, 2],
    [3, 3],
  ]);
});
