import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../support/eventually.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { createConversationParts, idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';
import { createRepoParts } from '../../../support/repo/repo-parts.ts';

const { redis, repo } = await openConversationRepo();

type Two = [string, string];
type Three = [string, string, string];
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

test('two who open their conversation at once get the same one, announced once', async () => {
  const [ann, bob] = (await repo.newUsers(2)) as Two;
  await repo.befriend(ann, bob);
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) => (n % 2 ? repo.openSingle(ann, bob) : repo.openSingle(bob, ann))),
  );
  const ids = new Set(answers.map(({ conversation }) => idOf(conversation)));
  assert.equal(ids.size, 1);
  assert.equal(answers.filter(({ created }) => created).length, 1);
  const [id = ''] = ids;
  const [created, ...others] = await repo.eventsOf(id);
  assert.deepEqual(
    [created?.type, created?.conversation_type, created?.member_ids],
    ['conversation.created', 1, [ann, bob]],
  );
  assert.deepEqual(others, []);
  const seen = await repo.see(ann, id);
  assert.deepEqual(
    [seen.peer?.id, seen.conversation?.memberCount, seen.conversation?.ownerId, seen.userMembership?.role],
    [bob, 2, '', 1],
  );
});

test('a single conversation is for friends, and open again when they are friends again', async () => {
  const [ann, bob] = (await repo.newUsers(2)) as Two;
  await refusedWith(repo.openSingle(ann, bob), 'NOT_FRIENDS');
  await refusedWith(repo.openSingle(ann, '12'), 'USER_NOT_FOUND');
  await refusedWith(repo.openSingle(ann, ann), 'INVALID_ARGUMENT');
  await repo.befriend(ann, bob);
  const id = idOf((await repo.openSingle(ann, bob)).conversation);
  await repo.databases.users.execute('UPDATE conversations SET send_state = 1 WHERE id = ?', [Number(id)]);
  await repo.unfriend(ann, bob);
  await refusedWith(repo.openSingle(ann, bob), 'NOT_FRIENDS');
  await repo.befriend(ann, bob);
  assert.deepEqual((await repo.openSingle(bob, ann)).created, false);
  assert.equal(await repo.say(id, ann).then(() => true), true);
  await repo.unfriend(ann, bob);
  await repo.block(bob, ann);
  await refusedWith(repo.openSingle(ann, bob), 'BLOCKED');
});

test('the event of an accepted request is written with its conversation, under one id however often', async () => {
  const [ann, bob] = (await repo.newUsers(2)) as Two;
  const requestId = String(repo.ids.nextId());
  const accept = (status: number) =>
    repo.databases.users.execute(
      `INSERT INTO friendship_requests (id, requester_id, target_id, status, message, pair_key, created_at, updated_at, expires_at)
       VALUES (?) ON DUPLICATE KEY UPDATE status = VALUES(status)`,
      [[Number(requestId), Number(ann), Number(bob), status, '', `${ann}:${bob}`, 1, 1, 1]],
    );
  await accept(0);
  await repo.befriend(ann, bob);
  await refusedWith(repo.openSingle(ann, bob, requestId), 'REQUEST_NOT_FOUND');
  await accept(1);
  const [first] = await Promise.all([
    repo.openSingle(ann, bob, requestId),
    repo.openSingle(ann, bob, requestId),
  ]);
  const events = await repo.eventsOf(idOf(first?.conversation));
  const accepted = events.filter(({ type }) => type === 'friend.request.accepted');
  assert.ok(accepted.length > 0);
  assert.deepEqual(
    new Set(accepted.map(({ event_id }) => event_id)),
    new Set([`friend.request.accepted/${requestId}`]),
  );
  assert.deepEqual(
    [accepted[0]?.requester_id, accepted[0]?.target_id, accepted[0]?.actor_id],
    [ann, bob, bob],
  );
});

test('a group that is being created is seen by nobody; activation shows and announces it once', async () => {
  const [ann, bob, cy] = (await repo.newUsers(3)) as Three;
  await repo.list(bob);
  const id = String(repo.ids.nextId());
  const create = () => repo.createGroup(ann, [bob], { conversationId: id, activate: false, name: 'tea ☕' });
  const both = await Promise.all([create(), create()]);
  assert.deepEqual(both.map(({ created }) => created).sort(), [false, true]);
  await refusedWith(repo.see(ann, id), 'CONVERSATION_NOT_FOUND');
  await refusedWith(repo.see(cy, id), 'CONVERSATION_NOT_FOUND');
  assert.deepEqual((await repo.list(bob)).conversations, []);
  assert.deepEqual(
    await repo.conversations.addConversationMember({ actorId: '', conversationId: id, userIds: [cy, bob] }),
    { added: [cy], alreadyMembers: [bob], refused: [] },
  );
  assert.deepEqual(await repo.eventsOf(id), []);
  const [answer] = await Promise.all([
    repo.conversations.activateConversation({ conversationId: id }),
    repo.conversations.activateConversation({ conversationId: id }),
  ]);
  assert.deepEqual(
    [answer?.conversation?.conversation?.name, answer?.conversation?.userMembership?.role],
    ['tea ☕', 3],
  );
  const events = await repo.eventsOf(id);
  assert.deepEqual(
    events.map(({ type, member_ids }) => [type, (member_ids as string[]).toSorted()]),
    [['conversation.created', [ann, bob, cy].toSorted()]],
  );
  for (const userId of [bob, cy]) {
    const { conversations } = await repo.list(userId);
    assert.deepEqual(
      conversations.map((seen) => [idOf(seen), seen.userMembership?.role, seen.conversation?.memberCount]),
      [[id, 1, 3]],
    );
  }
  await refusedWith(
    repo.conversations.discardConversation({ conversationId: id, begunBefore: 0 }),
    'PERMISSION_DENIED',
  );
  await refusedWith(repo.createGroup(bob, [], { conversationId: id }), 'PERMISSION_DENIED');
});

test('a group with whose creation somebody goes on is not discarded for its age', async () => {
  const [ann, bob] = (await repo.newUsers(2)) as Two;
  const id = String(repo.ids.nextId());
  const begin = () => repo.createGroup(ann, [bob], { conversationId: id, activate: false });
  await begin();
  await repo.databases.users.execute('UPDATE conversations SET created_at = 5 WHERE id = ?', [Number(id)]);
  assert.equal((await begin()).created, false);
  await refusedWith(
    repo.conversations.discardConversation({ conversationId: id, begunBefore: 6 }),
    'PERMISSION_DENIED',
  );
  assert.ok(await repo.conversations.activateConversation({ conversationId: id }));
});

test('a discarded group leaves nothing behind', async () => {
  const [ann, bob] = (await repo.newUsers(2)) as Two;
  const id = String(repo.ids.nextId());
  await repo.createGroup(ann, [bob], { conversationId: id, activate: false });
  await repo.conversations.discardConversation({ conversationId: id, begunBefore: 0 });
  await repo.conversations.discardConversation({ conversationId: id, begunBefore: 0 });
  for (const table of ['conversation_members', 'user_read_pointers', 'conversation_heads']) {
    const rows = await repo.databases.users.query(`SELECT 1 FROM ${table} WHERE conversation_id = ?`, [
      Number(id),
    ]);
    assert.deepEqual(rows, [], table);
  }
  await refusedWith(
    repo.conversations.activateConversation({ conversationId: id }),
    'CONVERSATION_NOT_FOUND',
  );
});

test('a group with somebody unknown, or somebody who blocked its owner, is not made', async () => {
  const [ann, bob] = (await repo.newUsers(2)) as Two;
  await repo.block(bob, ann);
  await refusedWith(repo.createGroup(ann, [bob]), 'BLOCKED');
  await refusedWith(repo.createGroup(ann, ['1']), 'USER_NOT_FOUND');
  await refusedWith(repo.createGroup(ann, ['bob']), 'USER_NOT_FOUND');
  await refusedWith(repo.createGroup(bob, [ann], { maxMembers: 1 }), 'GROUP_FULL');
  assert.deepEqual((await repo.list(ann)).conversations, []);
});

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

  // What comes later is seen in a list that was cached before.
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

test('a hot list asks the database nothing', async () => {
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

test('a cold list is one query', async () => {
  const [me, ann] = (await repo.newUsers(2)) as Two;
  for (let n = 0; n < 3; n += 1) await repo.say(await repo.newGroup([me, ann]), ann);
  // One that is hidden costs no other query.
  const hidden = await repo.newGroup([me, ann]);
  await repo.conversations.updateMemberChoices({ userId: me, conversationId: hidden, hidden: true });
  await redis.client.flushall();
  const { query, batch } = repo.databases.conversations;
  let queries = 0;
  try {
    repo.databases.conversations.query = (sql, values) => {
      queries += 1;
      return query(sql, values);
    };
    repo.databases.conversations.batch = () => assert.fail('a batch');
    assert.equal((await repo.list(me)).conversations.length, 3);
    assert.equal(queries, 1);
  } finally {
    Object.assign(repo.databases.conversations, { query, batch });
  }
});

test('what a member chose shows to that member alone, and what is left out stays', async () => {
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

test('a hidden conversation leaves its member’s list until the next message, and no other list', async () => {
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
  // Whoever asks what changed is told that they are hidden.
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

test('without Redis everything is the same', async () => {
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

test('owner and admins change a group, and all members get the same frame of it', async () => {
  const [ann, bob, cy] = (await repo.newUsers(3)) as Three;
  const id = await repo.newGroup([ann, bob]);
  const update = (actorId: string, fields: object) =>
    repo.conversations.updateConversation({ actorId, conversationId: id, ...fields });
  await refusedWith(update(bob, { name: 'mine' }), 'PERMISSION_DENIED');
  await refusedWith(update(cy, { name: 'mine' }), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(update(ann, { inviteBy: 'nobody' }), 'INVALID_ARGUMENT');
  await refusedWith(update(ann, { maxMembers: 1 }), 'INVALID_ARGUMENT');
  await repo.list(bob);
  const { conversation } = await update(ann, { name: 'new', muteAll: true, maxMembers: 2 });
  assert.deepEqual(
    [conversation?.conversation?.name, conversation?.conversation?.settings],
    ['new', { inviteBy: 'admins', muteAll: true, maxMembers: 2 }],
  );
  assert.equal((await repo.see(bob, id)).conversation?.name, 'new');
  const events = await repo.eventsOf(id);
  const frame = events.find((event) => event.frame === 'conversation-updated') as {
    data: { conversation: Record<string, unknown> };
  };
  const { createdAt, updatedAt, ...shared } = frame.data.conversation;
  assert.deepEqual(shared, {
    id,
    type: 2,
    name: 'new',
    avatarUrl: '',
    description: '',
    announcement: '',
    ownerId: ann,
    memberCount: 2,
    lastSeqId: 0,
    settings: { inviteBy: 'admins', muteAll: true, maxMembers: 2 },
  });
  assert.equal(updatedAt, conversation?.conversation?.updatedAt);
  assert.ok(createdAt);
  await refusedWith(update(ann, { conversationId: 'x' }), 'CONVERSATION_NOT_FOUND');
});

test('a dissolved group is gone for everybody', async () => {
  const [ann, bob, cy] = (await repo.newUsers(3)) as Three;
  const id = await repo.newGroup([ann, bob]);
  await repo.list(bob);
  const dissolve = (actorId: string) =>
    repo.conversations.dissolveConversation({ actorId, conversationId: id });
  await refusedWith(dissolve(bob), 'PERMISSION_DENIED');
  await refusedWith(dissolve(cy), 'NOT_CONVERSATION_MEMBER');
  await dissolve(ann);
  for (const userId of [ann, bob, cy]) await refusedWith(repo.see(userId, id), 'CONVERSATION_NOT_FOUND');
  await refusedWith(dissolve(ann), 'CONVERSATION_NOT_FOUND');
  await assert.rejects(repo.say(id, ann), /no such conversation/);
  assert.deepEqual((await repo.list(bob)).conversations, []);
  assert.deepEqual(await typesOf(id), [
    'conversation.created',
    'conversation.dissolved',
    'conversation-dissolved',
  ]);
  const frame = (await repo.eventsOf(id)).at(-1);
  assert.deepEqual([frame?.data, frame?.extra_user_ids], [{ conversationId: id }, [ann, bob]]);
});

test('ids that name nothing, and what is not one’s own', async () => {
  const [ann, eve] = (await repo.newUsers(2)) as Two;
  const id = await repo.newGroup([ann]);
  for (const state of ['cold', 'hot']) {
    await refusedWith(repo.see(eve, id), 'NOT_CONVERSATION_MEMBER');
    for (const unknown of ['12345', 'nonsense', "1' OR '1'='1", '9'.repeat(40), '', '01']) {
      await refusedWith(repo.see(eve, unknown), 'CONVERSATION_NOT_FOUND');
    }
    assert.equal(idOf(await repo.see(ann, id)), id, state);
    await repo.list(eve);
    await repo.list(ann);
  }
});

test('the world room can be neither changed nor left', async () => {
  const [me, other] = [await repo.newGuest(), await repo.newGuest()];
  const call = { actorId: me, conversationId: '1' };
  await refusedWith(repo.conversations.updateConversation({ ...call, name: 'x' }), 'PERMISSION_DENIED');
  await refusedWith(repo.conversations.dissolveConversation(call), 'PERMISSION_DENIED');
  for (const userIds of [[me], [other]]) {
    await refusedWith(repo.conversations.addConversationMember({ ...call, userIds }), 'PERMISSION_DENIED');
    await refusedWith(repo.conversations.removeConversationMember({ ...call, userIds }), 'PERMISSION_DENIED');
  }
});
