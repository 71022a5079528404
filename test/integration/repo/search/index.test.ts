import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedWith } from '../../../support/refused-with.ts';
import { createConversationParts } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo, openRepoParts } from '../../../support/repo/open-repo.ts';
import { createSearchParts } from '../../../support/search/search-parts.ts';

const { repo } = await openConversationRepo();
const { index, store, search, searchAll, termsOf } = createSearchParts(repo);
const count = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `number ${from + n}`);

/** The rows of the index of a conversation. */
async function rowsOf(conversationId: string) {
  const database = repo.databases.messagesOf(conversationId);
  const [terms, blocks, heads] = await Promise.all(
    ['search_terms', 'search_blocks', 'search_heads'].map((table) =>
      database.query<Record<string, unknown>>(`SELECT * FROM ${table} WHERE conversation_id = ?`, [
        Number(conversationId),
      ]),
    ),
  );
  return { terms, blocks, heads };
}

/** Builds the index anew, in small steps. */
async function reindex(conversationId: string, limit = 100): Promise<{ indexed: number; steps: number }> {
  let indexed = 0;
  let steps = 0;
  for (let cursor = ''; ; ) {
    const done = await repo.search.reindexMessages({ cursor, limit, conversationId });
    indexed += done.indexed;
    steps += 1;
    if (done.nextCursor === '') return { indexed, steps };
    cursor = done.nextCursor;
  }
}

test('what is told twice, in another order or by several processes at once, is taken up once', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const [ann] = users;
  await store(id, ann, count(1, 300));
  // The later messages were told first.
  assert.equal(await index(id, 201, 300), 300);
  assert.equal(await index(id, 1, 200), 0);
  await store(id, ann, count(301, 500));
  await Promise.all(Array.from({ length: 6 }, () => index(id, 301, 500)));
  const { terms, blocks } = await rowsOf(id);
  const places = terms?.find(({ term }) => String(term) === 'number')?.places as Buffer;
  assert.equal(places.length, 500 * 2);
  assert.equal(blocks?.length, 1);
  assert.equal((await searchAll(ann, 'number', 150)).length, 500);
});

test('several processes that meet new conversations at once take each up once', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const ids = [id, ...(await Promise.all(Array.from({ length: 9 }, () => repo.newConversation(users))))];
  await Promise.all(ids.map((one) => store(one, users[0], count(1, 5))));
  const ranges = ids.map((conversationId) => ({ conversationId, firstSeqId: 1, lastSeqId: 5 }));
  const answers = await Promise.all(Array.from({ length: 5 }, () => repo.search.indexMessages({ ranges })));
  assert.equal(
    answers.reduce((sum, { indexed }) => sum + indexed, 0),
    50,
  );
  assert.equal((await searchAll(users[0], 'number', 20)).length, 50);
});

test('ranges of messages that are not there are nothing', async () => {
  assert.equal(await index('7', 1, 1_000_000_000), 0);
  const { users, id } = await repo.newConversationOf(1);
  await store(id, users[0], count(1, 3));
  assert.equal(await index(id, 1, 1_000_000_000), 3);
  await refusedWith(
    repo.search.indexMessages({ ranges: [{ conversationId: 'x', firstSeqId: 1, lastSeqId: 1 }] }),
    'INVALID_ARGUMENT',
  );
  await refusedWith(
    repo.search.indexMessages({ ranges: [{ conversationId: id, firstSeqId: 2, lastSeqId: 1 }] }),
    'INVALID_ARGUMENT',
  );
});

test('a conversation with an older history enters the index with its newest block; reindex adds the rest', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const [ann] = users;
  for (let from = 1; from <= 2500; from += 500) await store(id, ann, count(from, from + 499));
  assert.equal(await index(id, 2500), 2500 - 2048 + 1);
  assert.deepEqual((await search(ann, 'number 2499')).contents, ['number 2499']);
  assert.deepEqual((await search(ann, 'number 1030')).contents, []);
  const { indexed, steps } = await reindex(id);
  assert.equal(indexed, 2500);
  assert.equal(steps, 3);
  assert.deepEqual((await search(ann, 'number 1030')).contents, ['number 1030']);
  assert.equal((await searchAll(ann, 'number', 200)).length, 2500);
  const before = await rowsOf(id);
  await reindex(id);
  assert.deepEqual(await rowsOf(id), before);
  await store(id, ann, ['number 2501']);
  await index(id, 2501);
  assert.deepEqual((await search(ann, 'number 2501')).contents, ['number 2501']);
});

test('reindex of a conversation that is not in the index leaves nothing for the next message to catch up with', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const [ann] = users;
  for (let from = 1; from <= 2500; from += 500) await store(id, ann, count(from, from + 499));
  const first = await repo.search.reindexMessages({ cursor: '', limit: 1, conversationId: id });
  assert.equal(first.indexed, 1023);
  assert.deepEqual((await search(ann, 'number 2499')).contents, ['number 2499']);
  await store(id, ann, ['number 2501']);
  assert.equal(await index(id, 2501), 1);
  await reindex(id);
  assert.equal((await searchAll(ann, 'number', 200)).length, 2501);
  const { terms } = await rowsOf(id);
  const lengths = terms
    ?.filter(({ term }) => String(term) === 'number')
    .map(({ places }) => (places as Buffer).length);
  assert.deepEqual(lengths, [2 * 1023, 2 * 1024, 2 * 454]);
});

test('a conversation with much to take up keeps no other of the same call waiting', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const other = await repo.newConversation(users);
  await store(id, users[0], count(1, 500));
  await store(other, users[0], ['number 1', 'number 2']);
  const ranges = [id, other].map((conversationId, n) => ({
    conversationId,
    firstSeqId: 1,
    lastSeqId: n === 0 ? 500 : 2,
  }));
  const { indexed, left } = await repo.search.indexMessages({ ranges });
  assert.equal(indexed, 200);
  assert.deepEqual(left, [ranges[0]]);
  assert.equal((await search(users[0], 'number', { conversationId: other })).contents.length, 2);
});

test('reindex goes through all conversations, and a step can be repeated', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const other = await repo.newConversation(users);
  await store(id, users[0], ['walnut 1']);
  await store(other, users[0], ['walnut 2']);
  assert.deepEqual((await search(users[0], 'walnut')).contents, []);
  for (let cursor = ''; ; ) {
    const step = { cursor, limit: 1 };
    await repo.search.reindexMessages(step);
    cursor = (await repo.search.reindexMessages(step)).nextCursor;
    if (cursor === '') break;
  }
  assert.equal((await search(users[0], 'walnut')).contents.length, 2);
  await refusedWith(repo.search.reindexMessages({ cursor: 'x', limit: 1 }), 'INVALID_ARGUMENT');
});

test('edits and recalls while the index takes messages up leave exactly the words that the messages have', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const [ann] = users;
  const saved = await store(
    id,
    ann,
    Array.from({ length: 40 }, (_, n) => `before${n} same`),
  );
  const changing = saved.map(({ messageId }, n) =>
    n % 2 === 0
      ? repo.messages.editMessage({
          conversationId: id,
          actorId: ann,
          messageId,
          content: `after${n} same`,
          editWindowMs: 60_000,
        })
      : repo.messages.deleteMessage({ conversationId: id, actorId: ann, messageId, recallWindowMs: 60_000 }),
  );
  await Promise.all([...changing, index(id, 1, 10), index(id, 11, 40)]);
  const expected = ['same', ...Array.from({ length: 20 }, (_, n) => `after${2 * n}`)];
  assert.deepEqual((await termsOf(id)).toSorted(), expected.toSorted());
});

test('conversations of several databases are searched together', async () => {
  const { parts } = await openRepoParts({ layout: 'sharded' });
  const sharded = createConversationParts(parts);
  const own = createSearchParts(sharded);
  const guest = await sharded.newGuest();
  const friends = await Promise.all(Array.from({ length: 12 }, () => sharded.newGuest()));
  const ids = await Promise.all(
    friends.map(async (friend) => {
      const { conversationId } = await sharded.conversations.createConversation({
        conversationId: '',
        type: 2,
        name: 'a group',
        avatarUrl: '',
        description: '',
        creatorId: guest,
        initialMemberIds: [friend],
        activate: true,
        maxMembers: 0,
        friendRequestId: '',
        idOnly: true,
      });
      return conversationId;
    }),
  );
  const used = new Set(ids.map((id) => sharded.databases.messagesOf(id)));
  assert.equal(used.size, 2);
  for (const id of ids) {
    const results = await sharded.save(sharded.newMessage(id, guest, { content: `hazel ${id}` }));
    await own.index(id, results[0]?.seqId);
  }
  assert.deepEqual(
    await own.searchAll(guest, 'hazel', 5),
    ids.toReversed().map((id) => `hazel ${id}`),
  );
});
