import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedWith } from '../../../support/refused-with.ts';
import { contents, idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();
type Three = [string, string, string];
const newThree = async () => (await repo.newUsers(3)) as Three;
const { sync } = repo;

test('a fresh client gets every conversation, the oldest missing first, empty ones too, without the world room', async () => {
  const me = await repo.newGuest();
  const [ann, bob] = await newThree();
  await repo.befriend(me, ann);
  const single = idOf((await repo.openSingle(me, ann)).conversation);
  const group = await repo.newGroup([bob, me]);
  const empty = await repo.newGroup([bob, me]);
  await repo.say(group, bob, 'g1');
  await repo.say(single, ann, 's1');
  await repo.say(group, bob, 'g2');
  await repo.say('1', me, 'world');
  const pinned: [string, number, number][] = [
    [group, 1, 100],
    [single, 1, 200],
  ];
  for (const [id, seqId, at] of pinned) {
    await repo.databases.users.execute(
      'UPDATE messages SET created_at = ? WHERE conversation_id = ? AND seq_id = ?',
      [at, Number(id), seqId],
    );
  }
  const answer = await sync(me);
  assert.deepEqual(
    answer.conversations.map(({ conversation, messages, hasMore }) => [
      idOf(conversation),
      contents(messages),
      hasMore,
    ]),
    [
      [group, ['g1', 'g2'], false],
      [single, ['s1'], false],
      [empty, [], false],
    ],
  );
  assert.deepEqual([answer.recalled, answer.removed, answer.hasMore], [[], [], false]);
  assert.equal(answer.conversations[1]?.messages[0]?.sender?.username, `u${ann}`);
  assert.deepEqual(answer.conversations[1]?.conversation, await repo.see(me, single));
  const caughtUp = { [single]: 1, [group]: 2, [empty]: 0 };
  assert.deepEqual((await sync(me, caughtUp)).conversations, []);
  const withWorld = await sync(me, { ...caughtUp, 1: 0 });
  assert.deepEqual(
    withWorld.conversations.map(({ conversation }) => idOf(conversation)),
    ['1'],
  );
});

test('continuing with advanced cursors returns everything, each message once', async () => {
  const [me, ann] = await newThree();
  const ids = await Promise.all(Array.from({ length: 4 }, () => repo.newGroup([me, ann])));
  for (let n = 0; n < 7; n += 1) {
    await repo.save(...ids.map((id) => repo.newMessage(id, ann, { content: `${n}` })));
  }
  for (const limits of [
    { limitPerConversation: 3 },
    { limitTotal: 5 },
    { limitPerConversation: 2, limitTotal: 3 },
  ]) {
    const cursors: Record<string, number> = {};
    const got = new Map<string, number[]>(ids.map((id) => [id, []]));
    for (let more = true; more; ) {
      const answer = await sync(me, cursors, limits);
      const count = answer.conversations.reduce((sum, { messages }) => sum + messages.length, 0);
      assert.ok(count <= (limits.limitTotal ?? 2000));
      for (const { conversation, messages, hasMore } of answer.conversations) {
        const id = idOf(conversation);
        got.get(id)?.push(...messages.map(({ seqId }) => seqId));
        cursors[id] = got.get(id)?.at(-1) ?? 0;
        assert.equal(hasMore, cursors[id] < 7);
      }
      more = answer.hasMore;
    }
    for (const seqs of got.values()) assert.deepEqual(seqs, [1, 2, 3, 4, 5, 6, 7]);
  }
});

test('long messages never make an answer larger than a client takes', async () => {
  const [me, ann] = await newThree();
  const id = await repo.newGroup([me, ann]);
  const long = '😀'.repeat(4000);
  for (let n = 0; n < 4; n += 1) {
    await repo.save(...Array.from({ length: 100 }, () => repo.newMessage(id, ann, { content: long })));
  }
  let got = 0;
  for (let more = true; more; ) {
    const answer = await sync(me, { [id]: got }, { limitPerConversation: 2000 });
    const [entry] = answer.conversations;
    assert.ok(entry && entry.messages.length > 0 && entry.messages.length < 300);
    got = entry.messages.at(-1)?.seqId ?? 0;
    more = answer.hasMore;
  }
  assert.equal(got, 400);
});

test('a sync reads no more from the database than an answer may hold', async () => {
  const [me, ann] = await newThree();
  const long = '😀'.repeat(4000);
  // Many conversations that show a long last message, and one with many long messages.
  const ids = await Promise.all(Array.from({ length: 260 }, () => repo.newConversation([me, ann])));
  await repo.save(...ids.map((id) => repo.newMessage(id, ann, { content: long })));
  const [big = ''] = ids;
  for (let n = 0; n < 3; n += 1) {
    await repo.save(...Array.from({ length: 200 }, () => repo.newMessage(big, ann, { content: long })));
  }
  const database = repo.databases.conversations;
  const original = { query: database.query, batch: database.batch };
  const bytesOfRows = (rows: unknown) => Buffer.byteLength(JSON.stringify(rows));
  let read = 0;
  Object.assign(database, {
    query: async (...args: Parameters<typeof database.query>) => {
      const rows = await original.query(...args);
      read += bytesOfRows(rows);
      return rows;
    },
    batch: async (statements: string) => {
      const results = await original.batch(statements);
      read += bytesOfRows(results);
      return results;
    },
  });
  const got = new Map<string, number>();
  try {
    for (let more = true; more; ) {
      read = 0;
      const answer = await sync(me, Object.fromEntries(got), { limitPerConversation: 2000 });
      assert.ok(read < 5 * 1024 * 1024, `${read} bytes`);
      assert.ok(answer.conversations.length > 0);
      for (const { conversation, messages } of answer.conversations) {
        const id = idOf(conversation);
        for (const { seqId } of messages) {
          assert.equal(seqId, (got.get(id) ?? 0) + 1);
          got.set(id, seqId);
        }
      }
      more = answer.hasMore;
    }
    const beyond = await sync(
      me,
      { ...Object.fromEntries(got), [big]: 9999 },
      { limitPerConversation: 2000 },
    );
    const newest = beyond.conversations[0];
    assert.deepEqual([newest?.reset, newest?.hasMore, newest?.messages.at(-1)?.seqId], [true, false, 601]);
    assert.ok((newest?.messages.length ?? 0) > 100);
  } finally {
    Object.assign(database, original);
  }
  assert.deepEqual([got.size, got.get(big)], [260, 601]);
});

test('a cursor above the head gets the newest page, marked as a new start', async () => {
  const [me, ann] = await newThree();
  const id = await repo.newGroup([me, ann]);
  const empty = await repo.newGroup([me, ann]);
  for (let n = 1; n <= 5; n += 1) await repo.say(id, ann, `m${n}`);
  const { conversations, hasMore } = await sync(me, { [id]: 999, [empty]: 1 }, { limitPerConversation: 3 });
  const told = conversations.map((each) => [
    idOf(each.conversation),
    [contents(each.messages), each.reset, each.hasMore],
  ]);
  assert.deepEqual(Object.fromEntries(told), {
    [id]: [['m3', 'm4', 'm5'], true, false],
    [empty]: [[], true, false],
  });
  assert.equal(hasMore, false);
  const within = await sync(me, { [id]: 4, [empty]: 0 });
  assert.deepEqual(
    within.conversations.map((each) => [contents(each.messages), each.reset]),
    [[['m5'], false]],
  );
});

test('cursors that make no sense are refused', async () => {
  const [me] = await newThree();
  for (const cursor of [-1, 1.5, 1e300, Number.NaN]) {
    await refusedWith(sync(me, { 5: cursor }), 'INVALID_ARGUMENT');
  }
  await refusedWith(sync(me, {}, { limitTotal: 2001 }), 'INVALID_ARGUMENT');
  await refusedWith(sync(me, {}, { limitPerConversation: -1 }), 'INVALID_ARGUMENT');
});

test('five hundred conversations are synced by a handful of statements', async () => {
  const [me, ann] = await newThree();
  const ids = await Promise.all(Array.from({ length: 500 }, () => repo.newConversation([me, ann])));
  await repo.save(...ids.map((id) => repo.newMessage(id, ann)));
  const { query, batch } = repo.databases.conversations;
  let trips = 0;
  try {
    repo.databases.conversations.query = (sql, values) => {
      trips += 1;
      return query(sql, values);
    };
    repo.databases.conversations.batch = (statements) => {
      trips += 1;
      return batch(statements);
    };
    const answer = await sync(me, {}, { since: 1 });
    assert.equal(answer.conversations.length, 500);
    assert.ok(answer.conversations.every(({ messages }) => messages.length === 1));
    assert.ok(trips <= 6, `${trips} round trips`);
  } finally {
    Object.assign(repo.databases.conversations, { query, batch });
  }
});
