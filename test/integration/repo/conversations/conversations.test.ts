import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedWith } from '../../../support/refused-with.ts';
import { idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();
type Two = [string, string];
type Three = [string, string, string];
const typesOf = async (id: string) => (await repo.eventsOf(id)).map((event) => event.type ?? event.frame);

test('two users who open their conversation at once get the same one, announced once', async () => {
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

test('one answer has a conversation as each of its members sees it; users who are not members are left out', async () => {
  const [ann, bob, cy] = (await repo.newUsers(3)) as [string, string, string];
  await repo.befriend(ann, bob);
  const { conversation, conversationId } = await repo.openSingle(ann, bob);
  assert.equal(conversationId, idOf(conversation));
  const { views } = await repo.conversations.getConversationViews({
    conversationId,
    userIds: [ann, cy, bob, 'x'],
  });
  assert.deepEqual(
    views.map(({ userId, conversation }) => [userId, conversation?.peer?.id]),
    [
      [ann, bob],
      [bob, ann],
    ],
  );
  assert.deepEqual(views[0]?.conversation, await repo.see(ann, conversationId));
  assert.deepEqual(await repo.conversations.getConversationViews({ conversationId: '404', userIds: [ann] }), {
    views: [],
  });
});

test('a group that is being created is hidden; activation shows and announces it once', async () => {
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

test('a group whose creation continues is not discarded because of its age', async () => {
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

test('a group with an unknown user, or a user who has blocked the owner, is not created', async () => {
  const [ann, bob, cy] = (await repo.newUsers(3)) as Three;
  await repo.block(bob, ann);
  await refusedWith(repo.createGroup(ann, [bob]), 'BLOCKED');
  await refusedWith(repo.createGroup(ann, ['1']), 'USER_NOT_FOUND');
  await refusedWith(repo.createGroup(ann, ['bob']), 'USER_NOT_FOUND');
  await refusedWith(repo.createGroup(bob, [ann, cy], { maxMembers: 2 }), 'GROUP_FULL');
  assert.deepEqual((await repo.list(ann)).conversations, []);
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
    lastChangeSeq: 0,
    settings: { inviteBy: 'admins', muteAll: true, maxMembers: 2 },
  });
  assert.equal(updatedAt, conversation?.conversation?.updatedAt);
  assert.ok(createdAt);
  await refusedWith(update(ann, { conversationId: 'x' }), 'CONVERSATION_NOT_FOUND');
});

test('a dissolved group disappears for all members', async () => {
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

test('unknown ids and conversations of others are refused', async () => {
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
