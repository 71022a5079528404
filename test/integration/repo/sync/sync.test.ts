import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeFromNumber } from '../../../../lib/errors.ts';
import type { ConversationWithDetails } from '../../../../lib/gen/im_repo/v1/conversation.ts';
import { databaseTime } from '../../../../services/repo/storage/change-time.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { contents, idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

type Three = [string, string, string];
const newThree = async () => (await repo.newUsers(3)) as Three;
const read = (userId: string, conversationId: string, seqId: number) =>
  repo.conversations.updateReadPointer({ userId, conversationId, seqId });
const readEvents = async (conversationId: string) =>
  (await repo.eventsOf(conversationId)).filter(({ type }) => type === 'message.read');
const sync = (
  userId: string,
  cursors: Record<string, number> = {},
  fields: { since?: number; limitPerConversation?: number; limitTotal?: number } = {},
) =>
  repo.conversations.syncConversations({
    userId,
    cursors,
    since: 0,
    limitPerConversation: 0,
    limitTotal: 0,
    ...fields,
  });
const unreadEverywhere = async (userId: string, conversationId: string) => {
  const one = await repo.conversations.getUnreadCount({ userId, conversationId });
  const all = await repo.conversations.batchGetUnreadCounts({ userId, conversationIds: [] });
  const some = await repo.conversations.batchGetUnreadCounts({
    userId,
    conversationIds: [conversationId, 'x'],
  });
  const seen = await repo.see(userId, conversationId);
  const listed = (await repo.list(userId)).conversations.find((each) => idOf(each) === conversationId);
  const counts = new Set([
    one.unreadCount,
    all.unreadCounts[conversationId],
    some.unreadCounts[conversationId],
    seen.unreadCount,
    listed?.unreadCount,
  ]);
  assert.equal(counts.size, 1, JSON.stringify([...counts]));
  return one.unreadCount;
};

test('a read pointer moves forward, never back and never beyond the head', async () => {
  const [ann, bob, eve] = await newThree();
  const id = await repo.newGroup([ann, bob]);
  for (let n = 0; n < 5; n += 1) await repo.say(id, ann);
  assert.deepEqual(await read(bob, id, 3), { lastReadSeqId: 3, unreadCount: 2 });
  assert.deepEqual(await read(bob, id, 1), { lastReadSeqId: 3, unreadCount: 2 });
  await refusedWith(read(bob, id, 6), 'INVALID_ARGUMENT');
  await refusedWith(read(bob, id, -1), 'INVALID_ARGUMENT');
  await refusedWith(read(eve, id, 0), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(read(eve, '12345', 0), 'CONVERSATION_NOT_FOUND');
  const events = await readEvents(id);
  assert.deepEqual(
    events.map((event) => [event.actor_id, event.seq_id, event.sender_ids, event.session_id]),
    [[bob, 3, [ann], '']],
  );
});

test('who is told of reading: those whose messages were newly read', async () => {
  const [ann, bob, cy] = await newThree();
  const id = await repo.newGroup([ann, bob, cy]);
  await repo.say(id, ann);
  await repo.say(id, cy);
  await repo.say(id, cy);
  await read(bob, id, 1);
  await read(bob, id, 3);
  assert.deepEqual(
    (await readEvents(id)).map(({ sender_ids }) => sender_ids),
    [[ann], [cy]],
  );
});

test('of whoever was far behind all members are told, without a search for who wrote it all', async () => {
  const [ann, bob, cy] = await newThree();
  const id = await repo.newGroup([ann, bob, cy]);
  await repo.save(...Array.from({ length: 1000 }, () => repo.newMessage(id, ann)));
  await repo.say(id, ann);
  await read(bob, id, 1001);
  await read(cy, id, 1000);
  assert.deepEqual(
    (await readEvents(id)).map(({ actor_id, sender_ids }) => [actor_id, sender_ids]),
    [
      [bob, [ann, cy].toSorted((a, b) => Number(a) - Number(b))],
      [cy, [ann]],
    ],
  );
});

test('above 500 members nobody is told who has read, but the reader', async () => {
  const [ann, bob, cy] = await newThree();
  const id = await repo.newGroup([ann, bob, cy]);
  for (let n = 0; n < 3; n += 1) await repo.say(id, ann);
  const count = (members: number) =>
    repo.databases.users.execute('UPDATE conversations SET member_count = ? WHERE id = ?', [
      members,
      Number(id),
    ]);
  await count(500);
  await read(bob, id, 1);
  await count(501);
  await read(bob, id, 2);
  assert.deepEqual(
    (await readEvents(id)).map(({ actor_id, sender_ids }) => [actor_id, sender_ids]),
    [
      [bob, [ann]],
      [bob, []],
    ],
  );
});

/** Whom the last mark was told, and how far the reader's last mark shows to each in the list of members. */
const whoKnows = async (conversationId: string, reader: string, viewers: readonly string[]) => {
  const told = (await readEvents(conversationId)).at(-1)?.sender_ids;
  const seen = await Promise.all(
    viewers.map(async (userId) => {
      const request = { userId, conversationId, offset: 0, limit: 50, memberIds: [] };
      const { members } = await repo.conversations.getConversationMembers(request);
      return members.find(({ user }) => user?.id === reader)?.lastReadSeqId;
    }),
  );
  return [told, seen];
};

test('whoever is in a block with the reader, or was a friend, is not told of reading', async () => {
  const [ann, bob, cy] = await newThree();
  const group = await repo.newGroup([ann, bob, cy]);
  for (const sender of [ann, cy, ann, cy, ann, cy]) await repo.say(group, sender);
  await read(bob, group, 2);
  assert.deepEqual(await whoKnows(group, bob, [ann, bob, cy]), [
    [ann, cy],
    [2, 2, 2],
  ]);
  await repo.block(ann, bob);
  await read(bob, group, 4);
  assert.deepEqual(await whoKnows(group, bob, [ann, bob, cy]), [[cy], [0, 4, 4]]);
  await repo.block(bob, cy);
  await read(bob, group, 6);
  assert.deepEqual(await whoKnows(group, bob, [ann, bob, cy]), [[], [0, 6, 0]]);

  for (const [sendState, expected] of [
    [0, [[ann], [1, 1]]],
    [1, [[], [0, 1]]],
    [2, [[], [0, 1]]],
  ] as const) {
    const [me] = await newThree();
    const single = await repo.newConversation([ann, me], true);
    await repo.say(single, ann);
    await repo.databases.users.execute('UPDATE conversations SET send_state = ? WHERE id = ?', [
      sendState,
      Number(single),
    ]);
    await read(me, single, 1);
    assert.deepEqual(await whoKnows(single, me, [ann, me]), expected);
  }
});

test('whoever does not let reading be told is told of nobody either, and whoever left is told nothing', async () => {
  const [ann, bob, cy] = await newThree();
  const id = await repo.newGroup([ann, bob, cy]);
  for (const sender of [ann, cy, ann, cy, ann, cy]) await repo.say(id, sender);
  const choose = (userId: string, readReceipts: boolean) =>
    repo.databases.users.execute(
      `REPLACE INTO user_settings (user_id, group_invites, last_seen, read_receipts, locale, updated_at)
       VALUES (?, 'everyone', 'friends', ?, '', 1)`,
      [Number(userId), readReceipts],
    );
  await choose(ann, false);
  await read(bob, id, 2);
  assert.deepEqual(await whoKnows(id, bob, [ann, bob, cy]), [[cy], [0, 2, 2]]);
  await choose(ann, true);
  await choose(bob, false);
  await read(bob, id, 4);
  assert.deepEqual(await whoKnows(id, bob, [ann, bob, cy]), [[], [0, 4, 0]]);
  await choose(bob, true);
  await repo.conversations.removeConversationMember({ actorId: ann, conversationId: id, userIds: [cy] });
  await read(bob, id, 6);
  assert.deepEqual(await whoKnows(id, bob, [ann, bob]), [[ann], [6, 6]]);
  const changed = await repo.conversations.updateConversationMember({
    actorId: ann,
    conversationId: id,
    userId: bob,
    muted: true,
  });
  assert.equal(changed.member?.lastReadSeqId, 6);
  await choose(bob, false);
  const hidden = await repo.conversations.updateConversationMember({
    actorId: ann,
    conversationId: id,
    userId: bob,
    muted: false,
  });
  assert.equal(hidden.member?.lastReadSeqId, 0);
});

test('a batch of read marks: each its own result, several of one pointer in their order', async () => {
  const [ann, bob, cy] = await newThree();
  const id = await repo.newGroup([ann, bob]);
  const other = await repo.newGroup([ann, cy]);
  for (let n = 0; n < 4; n += 1) await repo.say(id, ann);
  await repo.say(other, ann);
  const mark = (userId: string, conversationId: string, seqId: number, sessionId = 's1') => ({
    userId,
    conversationId,
    seqId,
    sessionId,
  });
  const { errors } = await repo.conversations.batchUpdateReadPointers({
    updates: [
      mark(bob, id, 2),
      mark(bob, id, 1),
      mark(bob, id, 4, 's2'),
      mark(cy, other, 1),
      mark(cy, id, 1),
      mark(bob, id, 5),
      mark(bob, 'x', 1),
      mark(bob, '12345', 1),
    ],
  });
  assert.deepEqual(errors.map(codeFromNumber), [
    undefined,
    undefined,
    undefined,
    undefined,
    'NOT_CONVERSATION_MEMBER',
    'INVALID_ARGUMENT',
    'CONVERSATION_NOT_FOUND',
    'CONVERSATION_NOT_FOUND',
  ]);
  assert.deepEqual(
    (await readEvents(id)).map((event) => [event.seq_id, event.session_id, event.sender_ids]),
    [
      [2, 's1', [ann]],
      [4, 's2', [ann]],
    ],
  );
  assert.equal((await repo.see(bob, id)).unreadCount, 0);
  assert.equal((await repo.see(cy, other)).unreadCount, 0);
  const repeated = await repo.conversations.batchUpdateReadPointers({ updates: [mark(bob, id, 4)] });
  assert.deepEqual(repeated.errors, [0]);
  assert.equal((await readEvents(id)).length, 2);
});

test('many readers of one conversation at once lose no move', async () => {
  const users = await repo.newUsers(10);
  const [ann = ''] = users;
  const id = await repo.newGroup(users);
  for (let n = 0; n < 8; n += 1) await repo.say(id, ann);
  const marks = Array.from({ length: 8 }, (_, n) => users.slice(1).map((userId) => [userId, n + 1] as const));
  await Promise.all(
    marks.map((some, index) =>
      repo.conversations.batchUpdateReadPointers({
        updates: (index % 2 ? some : some.toReversed()).map(([userId, seqId]) => ({
          userId,
          conversationId: id,
          seqId,
          sessionId: '',
        })),
      }),
    ),
  );
  for (const userId of users.slice(1))
    assert.equal((await repo.see(userId, id)).userMembership?.lastReadSeqId, 8);
});

test('unread counts are exact however they are asked for, and leave out what was recalled', async () => {
  const [ann, bob] = await newThree();
  const id = await repo.newGroup([ann, bob]);
  const ids = [];
  for (let n = 0; n < 70; n += 1) ids.push(await repo.say(id, ann));
  assert.equal(await unreadEverywhere(bob, id), 70);
  await repo.recall(id, ann, ids[10] ?? 0);
  assert.equal(await unreadEverywhere(bob, id), 69);
  await read(bob, id, 20);
  assert.equal(await unreadEverywhere(bob, id), 50);
  // More than the caches keep of them.
  for (const messageId of ids.slice(1)) await repo.recall(id, ann, messageId);
  assert.equal(await unreadEverywhere(bob, id), 0);
  await repo.say(id, ann);
  assert.equal(await unreadEverywhere(bob, id), 1);
  await repo.say(id, bob);
  assert.equal(await unreadEverywhere(bob, id), 0);
  const cy = (await repo.newUsers(1))[0] ?? '';
  await repo.conversations.addConversationMember({ actorId: ann, conversationId: id, userIds: [cy] });
  await repo.databases.users.execute('UPDATE user_read_pointers SET last_read_seq_id = 0 WHERE user_id = ?', [
    Number(cy),
  ]);
  assert.equal(await unreadEverywhere(cy, id), 3);
});

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

test('asking again with advanced cursors brings everything, each message once', async () => {
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

test('no more is read of the database than an answer may hold', async () => {
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

test('what was recalled, changed or lost since is told', async () => {
  const [me, ann] = await newThree();
  const id = await repo.newGroup([ann, me]);
  const lost = await repo.newGroup([ann, me]);
  const messageId = await repo.say(id, ann, 'oops');
  await repo.age(id);
  await repo.age(lost);
  const { serverTime } = await sync(me);
  assert.ok(Math.abs(serverTime - Date.now()) < 5000);
  assert.deepEqual((await sync(me, { [id]: 1, [lost]: 0 }, { since: serverTime })).conversations, []);
  await repo.recall(id, ann, messageId);
  await repo.conversations.updateConversation({ actorId: ann, conversationId: id, name: 'renamed' });
  await repo.conversations.removeConversationMember({ actorId: ann, conversationId: lost, userIds: [me] });
  const answer = await sync(me, { [id]: 1, [lost]: 0, nonsense: 3 }, { since: serverTime });
  assert.deepEqual(answer.recalled, [{ conversationId: id, seqId: 1 }]);
  assert.deepEqual(answer.removed.toSorted(), [lost, 'nonsense'].toSorted());
  assert.deepEqual(
    answer.conversations.map(({ conversation, messages }) => [conversation?.conversation?.name, messages]),
    [['renamed', []]],
  );
  assert.deepEqual((await sync(me, { [id]: 1 }, { since: serverTime + 60_000 })).recalled, []);
  assert.deepEqual((await sync(me, { [id]: 1 })).recalled, []);
});

test('a change counts by its own time, whatever messages came after it', async () => {
  const [me, ann, bob] = await newThree();
  const id = await repo.newGroup([ann, me, bob]);
  for (let n = 1; n <= 3; n += 1) await repo.say(id, ann);
  await repo.say(id, ann);
  /** The group as it is told to somebody who holds all its messages, by both ways of asking; undefined if not. */
  const told = async (since: number) => {
    const { conversations } = await sync(me, { [id]: 4 }, { since });
    const listed = (await repo.list(me, { updatedSince: since })).conversations;
    const { conversationIds } = await repo.conversations.getUserConversations({
      userId: me,
      updatedSince: since,
    });
    assert.deepEqual(conversationIds, listed.map(idOf));
    assert.deepEqual(
      conversations.flatMap(({ messages }) => messages),
      [],
    );
    return [conversations[0]?.conversation, listed[0]] as const;
  };

  type Seen = ConversationWithDetails | undefined;
  const changes: [string, () => Promise<unknown>, (seen: Seen) => unknown, unknown][] = [
    [
      'its name',
      () => repo.conversations.updateConversation({ actorId: ann, conversationId: id, name: 'renamed' }),
      (seen) => seen?.conversation?.name,
      'renamed',
    ],
    [
      'its members',
      () => repo.conversations.removeConversationMember({ actorId: ann, conversationId: id, userIds: [bob] }),
      (seen) => seen?.conversation?.memberCount,
      2,
    ],
    [
      'one’s role',
      () =>
        repo.conversations.updateConversationMember({
          actorId: ann,
          conversationId: id,
          userId: me,
          role: 2,
        }),
      (seen) => seen?.userMembership?.role,
      2,
    ],
    [
      'one’s mute',
      () =>
        repo.conversations.updateConversationMember({
          actorId: ann,
          conversationId: id,
          userId: me,
          muted: true,
        }),
      (seen) => seen?.userMembership?.muted,
      true,
    ],
    [
      'what one chose for it',
      () => repo.conversations.updateMemberChoices({ userId: me, conversationId: id, notifications: 'none' }),
      (seen) => seen?.userMembership?.notifications,
      'none',
    ],
    [
      'that one hid it',
      () => repo.conversations.updateMemberChoices({ userId: me, conversationId: id, hidden: true }),
      (seen) => seen?.userMembership?.hidden,
      true,
    ],
    [
      'how far one has read',
      () => read(me, id, 4),
      (seen) => [seen?.userMembership?.lastReadSeqId, seen?.unreadCount],
      [4, 0],
    ],
    [
      'its owner',
      () => repo.conversations.transferOwnership({ actorId: ann, conversationId: id, userId: me }),
      (seen) => [seen?.conversation?.ownerId, seen?.userMembership?.role],
      [me, 3],
    ],
  ];
  for (const [what, change, seen, expected] of changes) {
    await repo.age(id);
    const { serverTime } = await sync(me);
    assert.deepEqual(await told(serverTime), [undefined, undefined], what);
    await change();
    // A message that came later hides nothing.
    await repo.databases.users.execute('UPDATE messages SET created_at = ? WHERE conversation_id = ?', [
      Date.now() + 1000,
      Number(id),
    ]);
    assert.deepEqual((await told(serverTime)).map(seen), [expected, expected], what);
    assert.deepEqual(await told(serverTime + 60_000), [undefined, undefined], what);
  }
});

test('who leaves and comes back hears of the conversation, though it holds all messages', async () => {
  const [me, ann] = await newThree();
  const id = await repo.newGroup([ann, me]);
  await repo.say(id, ann);
  await repo.age(id);
  const { serverTime } = await sync(me);
  const members = { conversationId: id, userIds: [me] };
  await repo.conversations.removeConversationMember({ actorId: me, ...members });
  await repo.conversations.addConversationMember({ actorId: ann, ...members });
  const { conversations } = await sync(me, { [id]: 1 }, { since: serverTime });
  assert.deepEqual(
    conversations.map((each) => [each.messages, each.conversation?.userMembership?.lastReadSeqId]),
    [[[], 1]],
  );
});

test('a change that was written before an answer and committed after it is told the next time', async () => {
  const [me, ann] = await newThree();
  const id = await repo.newGroup([ann, me]);
  await repo.age(id);
  const { serverTime } = await repo.databases.conversations.transaction(async (tx) => {
    await tx.execute(`UPDATE conversations SET name = 'late', changed_at = ${databaseTime} WHERE id = ?`, [
      Number(id),
    ]);
    const answer = await sync(me, { [id]: 0 }, { since: 2 });
    assert.deepEqual(answer.conversations, []);
    return answer;
  });
  const { conversations } = await sync(me, { [id]: 0 }, { since: serverTime });
  assert.deepEqual(
    conversations.map((each) => each.conversation?.conversation?.name),
    ['late'],
  );
});

test('a cursor beyond the head is answered with the newest page, as a new beginning', async () => {
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
