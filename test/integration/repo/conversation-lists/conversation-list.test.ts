import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../support/eventually.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { createConversationParts, idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';
import { createRepoParts } from '../../../support/repo/repo-parts.ts';

const { redis, repo } = await openConversationRepo();
type Two = [string, string];
const typesOf = async (id: string) => (await repo.eventsOf(id)).map((event) => event.type ?? event.frame);

/** The list as SQL answers it, and as the caches do. Both must be the same. */
async function bothLists(
  userId: string,
  fields: { limit?: number; offset?: number; updatedSince?: number } = {},
) {
  await redis.client.flushall();
  const cold = await repo.list(userId, fields);
  await eventually(async () => (await redis.client.exists(`user:conversations:full:${userId}`)) === 1);
  const hot = await repo.list(userId, fields);
  assert.deepEqual(hot, cold);
  for (const seen of cold.conversations) assert.deepEqual(await repo.see(userId, idOf(seen)), seen);
  return cold;
}

test('the list from the caches is the list from the database', async () => {
  const me = await repo.newGuest();
  const [ann, bob] = (await repo.newUsers(2)) as Two;
  await repo.befriend(me, ann);
  const single = idOf((await repo.openSingle(me, ann)).conversation);
  const groups = [];
  for (let n = 0; n < 5; n += 1) groups.push(await repo.newGroup([ann, me, bob]));
  await repo.say(single, ann, 'hi 👋');
  for (let n = 0; n < 4; n += 1) await repo.say(groups[1] ?? '', bob, `m${n}`);
  const recalled = await repo.say(groups[2] ?? '', ann, 'oops');
  await repo.recall(groups[2] ?? '', ann, recalled);

  const { conversations } = await bothLists(me);
  assert.deepEqual(
    conversations.slice(0, 3).map((seen) => [idOf(seen), seen.unreadCount, seen.lastMessage?.content]),
    [
      [groups[2], 0, ''],
      [groups[1], 4, 'm3'],
      [single, 1, 'hi 👋'],
    ],
  );
  assert.equal(conversations.length, 7);
  assert.equal(conversations.at(-1)?.conversation?.type, 3);
  assert.deepEqual([conversations[2]?.peer?.id, conversations[2]?.lastMessage?.sender?.id], [ann, ann]);

  // Later changes show in a list that was cached before.
  await repo.say(groups[4] ?? '', me, 'mine');
  await repo.conversations.updateReadPointer({ userId: me, conversationId: groups[1] ?? '', seqId: 3 });
  const later = await repo.list(me);
  assert.deepEqual(
    later.conversations.slice(0, 3).map((seen) => [idOf(seen), seen.unreadCount]),
    [
      [groups[4], 0],
      [groups[2], 0],
      [groups[1], 1],
    ],
  );
  assert.deepEqual(await bothLists(me), later);
});

test('the list comes in pages, from a moment on, and says whether there is more', async () => {
  const [me, ann] = (await repo.newUsers(2)) as Two;
  const ids = [];
  for (let n = 0; n < 5; n += 1) {
    const id = await repo.newGroup([me, ann]);
    await repo.age(id, 1000 + Math.floor(n / 2));
    ids.push(id);
  }
  const newest = ids.toReversed();
  const page = async (fields: { limit?: number; offset?: number; updatedSince?: number }) => {
    const { conversations, hasMore } = await bothLists(me, fields);
    return [conversations.map(idOf), hasMore];
  };
  assert.deepEqual(await page({ limit: 2 }), [newest.slice(0, 2), true]);
  assert.deepEqual(await page({ limit: 2, offset: 2 }), [newest.slice(2, 4), true]);
  assert.deepEqual(await page({ limit: 2, offset: 3 }), [newest.slice(3), false]);
  assert.deepEqual(await page({ limit: 5 }), [newest, false]);
  assert.deepEqual(await page({ updatedSince: 1001 }), [newest.slice(0, 3), false]);
  assert.deepEqual(await page({ updatedSince: 1001, limit: 2 }), [newest.slice(0, 2), true]);
  await refusedWith(repo.list(me, { limit: -1 }), 'INVALID_ARGUMENT');
  await refusedWith(repo.list(me, { offset: -1 }), 'INVALID_ARGUMENT');
});

test('the last message and its sender come only when asked for', async () => {
  const [me, ann] = (await repo.newUsers(2)) as Two;
  const id = await repo.newGroup([me, ann]);
  await repo.say(id, ann, 'text');
  const ask = async (includeLastMessage: boolean, includeSenderInfo: boolean) => {
    const request = {
      userId: me,
      limit: 1,
      offset: 0,
      updatedSince: 0,
      includeLastMessage,
      includeSenderInfo,
    };
    return (await repo.conversations.getUserConversationsWithDetails(request)).conversations[0]?.lastMessage;
  };
  for (const state of ['cold', 'hot']) {
    assert.equal(await ask(false, true), undefined, state);
    const { sender } = (await ask(true, false)) ?? {};
    assert.deepEqual([sender?.id, sender?.username], [ann, ''], state);
    assert.equal((await ask(true, true))?.sender?.username, `u${ann}`, state);
  }
});

test('a cached list sends no query to the database', async () => {
  const [me, ann] = (await repo.newUsers(2)) as Two;
  for (let n = 0; n < 3; n += 1) await repo.say(await repo.newGroup([me, ann]), ann);
  // Marks of the changes above keep some of it out of the caches for a while.
  await redis.client.flushall();
  const cold = await repo.list(me);
  await eventually(async () => {
    const keys = await redis.client.keys('*');
    return keys.filter((key) => /^(conversation|user):/.test(key)).length === 9;
  });
  const { query, batch } = repo.databases.conversations;
  try {
    repo.databases.conversations.query = () => assert.fail('a query');
    repo.databases.conversations.batch = () => assert.fail('a batch');
    assert.deepEqual(await repo.list(me), cold);
  } finally {
    Object.assign(repo.databases.conversations, { query, batch });
  }
});

test('a list that is not cached takes one query, and one for the people in it', async () => {
  const [me, ann] = (await repo.newUsers(2)) as Two;
  for (let n = 0; n < 3; n += 1) await repo.say(await repo.newGroup([me, ann]), ann);
  // One that is hidden costs no other query.
  const hidden = await repo.newGroup([me, ann]);
  await repo.conversations.updateMemberChoices({ userId: me, conversationId: hidden, hidden: true });
  await redis.client.flushall();
  const { query, batch } = repo.databases.conversations;
  const queries = { conversations: 0, users: 0 };
  try {
    repo.databases.conversations.query = (sql, values) => {
      queries[sql.includes('FROM users') ? 'users' : 'conversations'] += 1;
      return query(sql, values);
    };
    repo.databases.conversations.batch = () => assert.fail('a batch');
    assert.equal((await repo.list(me)).conversations.length, 3);
    assert.deepEqual(queries, { conversations: 1, users: 1 });
  } finally {
    Object.assign(repo.databases.conversations, { query, batch });
  }
});

test('a member’s choices are visible to that member only, and omitted choices stay unchanged', async () => {
  const [ann, bob] = (await repo.newUsers(2)) as Two;
  const id = await repo.newGroup([ann, bob]);
  const choose = (fields: object) =>
    repo.conversations.updateMemberChoices({ userId: ann, conversationId: id, ...fields });
  const chosen = async (userId: string) => {
    const [seen] = (await bothLists(userId, { updatedSince: 1 })).conversations;
    const { notifications, pinned, hidden } = seen?.userMembership ?? {};
    return [notifications, pinned, hidden];
  };
  const nothing = [undefined, undefined, undefined];
  assert.deepEqual(await chosen(ann), nothing);
  const { conversation } = await choose({ notifications: 'mentions', pinned: true });
  assert.equal(conversation?.userMembership?.notifications, 'mentions');
  await choose({ pinned: true });
  await choose({ hidden: true });
  assert.deepEqual(await chosen(ann), ['mentions', true, true]);
  assert.deepEqual(await chosen(bob), nothing);
  assert.deepEqual(
    (await typesOf(id)).filter((type) => type === 'conversation.member.updated').length,
    2,
    'what changes nothing is told to nobody',
  );
  await choose({ notifications: 'all', pinned: false, hidden: false });
  assert.deepEqual(await chosen(ann), nothing);
  await refusedWith(
    repo.conversations.updateMemberChoices({ userId: '99', conversationId: id, pinned: true }),
    'NOT_CONVERSATION_MEMBER',
  );
  await refusedWith(
    repo.conversations.updateMemberChoices({ userId: ann, conversationId: '99', pinned: true }),
    'CONVERSATION_NOT_FOUND',
  );
});

test('a hidden conversation is left out of its member’s list only, until the next message', async () => {
  const [me, ann] = (await repo.newUsers(2)) as Two;
  const ids: string[] = [];
  for (let n = 0; n < 3; n += 1) ids.push(await repo.newGroup([me, ann]));
  const [first = '', second = '', third = ''] = ids;
  for (const id of ids) await repo.say(id, ann);
  const listed = async (userId: string, fields = {}) =>
    (await bothLists(userId, fields)).conversations.map(idOf);
  const hide = (conversationId: string, hidden: boolean) =>
    repo.conversations.updateMemberChoices({ userId: me, conversationId, hidden });

  await hide(third, true);
  await hide(first, true);
  assert.deepEqual(await listed(me), [second]);
  assert.deepEqual(await listed(me, { limit: 1, offset: 0 }), [second]);
  assert.deepEqual(await listed(me, { limit: 1, offset: 1 }), []);
  assert.deepEqual(await listed(ann), [third, second, first]);
  // A request for changes returns them as hidden.
  assert.deepEqual(await listed(me, { updatedSince: 1 }), [third, second, first]);
  await hide(third, false);
  assert.deepEqual(await listed(me), [third, second]);
  await repo.say(first, ann);
  assert.deepEqual(await listed(me), [first, third, second]);
  assert.equal((await repo.see(me, first)).userMembership?.hidden, undefined);
});

test('a conversation without messages can be hidden', async () => {
  const [me, ann] = (await repo.newUsers(2)) as Two;
  const id = await repo.newGroup([me, ann]);
  await repo.conversations.updateMemberChoices({ userId: me, conversationId: id, hidden: true });
  assert.deepEqual((await bothLists(me)).conversations, []);
  await repo.say(id, me);
  assert.deepEqual((await bothLists(me)).conversations.map(idOf), [id]);
});

test('without Redis, all answers are the same', async () => {
  const away = createConversationParts(await createRepoParts({ redisUrl: 'redis://127.0.0.1:1' }));
  const [me, ann] = (await away.newUsers(2)) as Two;
  const id = await away.newGroup([me, ann]);
  await away.say(id, ann, 'x');
  const { conversations } = await away.list(me);
  assert.deepEqual(
    conversations.map((seen) => [idOf(seen), seen.unreadCount]),
    [[id, 1]],
  );
  await away.conversations.updateReadPointer({ userId: me, conversationId: id, seqId: 1 });
  assert.equal((await away.see(me, id)).unreadCount, 0);
});
