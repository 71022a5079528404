import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { friendRequestStatus } from '../../../../lib/domain/enumerations.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { password } from '../../../support/repo/accounts-repo.ts';
import { idOf } from '../../../support/repo/conversation-parts.ts';
import { hour, openErasureRepo } from '../../../support/repo/erasure-repo.ts';

const world = '1';
const { repo, people, register, signIn, close, leave, wrongAt } = await openErasureRepo();

const membersOf = async (conversationId: string) => {
  const { members } = await repo.conversations.getConversationMembers({
    userId: '',
    conversationId,
    limit: 100,
    offset: 0,
    memberIds: [],
  });
  return members.map(({ user, role }) => [user?.id, role]);
};

test('a closed account is signed out, nobody finds it, and its name stays reserved for 30 days', async () => {
  const { id, username } = await register();
  const sessionId = await signIn(id);
  const before = Date.now();
  assert.deepEqual(await close(id), { closed: true });

  const { sessions } = await people.listRevokedSessions({ since: before - 1000, afterSessionId: '' });
  assert.ok(sessions.some((session) => session.id === sessionId));
  await refusedWith(people.getUser({ userId: id }), 'USER_NOT_FOUND');
  await refusedWith(people.getUserByUsername({ username }), 'USER_NOT_FOUND');
  assert.deepEqual((await people.searchUsersByUsername({ query: username, limit: 5 })).users, []);
  assert.deepEqual((await people.searchUsersByUsername({ query: 'deleted', limit: 5 })).users, []);
  assert.equal((await people.verifyPassword({ username, password })).valid, false);
  await assert.rejects(signIn(id));

  const registerAgain = () =>
    people.createUser({ username: username.toUpperCase(), password, avatarUrl: '', isGuest: false });
  await refusedWith(registerAgain(), 'USERNAME_TAKEN');
  const guest = await people.createUser({ username: '', password: '', avatarUrl: '', isGuest: true });
  await refusedWith(
    people.upgradeGuest({ userId: guest.user?.id ?? '', username, password }),
    'USERNAME_TAKEN',
  );
  await repo.databases.users.execute('UPDATE username_reservations SET reserved_until = ?', [Date.now()]);
  assert.notEqual((await registerAgain()).user?.id, id);
});

test('the event of an erasure is written in the transaction that closes the account', async () => {
  const { id } = await register();
  const events = async () => (await repo.events()).filter((event) => event.user_id === id);
  const before = await events();
  await close(id);
  const told = (await events()).slice(before.length);
  assert.deepEqual(
    told.map(({ type, actor_id }) => [type, actor_id]),
    [
      ['user.updated', id],
      ['user.erased', id],
    ],
  );
  await close(id);
  assert.equal((await events()).length, before.length + 2);
});

test('closing an account again changes nothing, except that it ends sessions opened meanwhile', async () => {
  const { id } = await register();
  await close(id);
  await repo.databases.users.execute(
    `INSERT INTO sessions (id, user_id, refresh_token_hash, user_agent, address, created_at, last_used_at, expires_at)
     VALUES (?, ?, ?, 'a browser', '192.0.2.1', 1, 1, ?)`,
    [randomUUID(), Number(id), Buffer.alloc(32, 1), Date.now() + hour],
  );
  const events = (await repo.events()).length;
  assert.deepEqual(await close(id), { closed: true });
  assert.equal((await repo.events()).length, events);
  const rows = await repo.databases.users.query<{ revoked_at: number | null; address: string }>(
    'SELECT revoked_at, address FROM sessions WHERE user_id = ?',
    [Number(id)],
  );
  assert.ok(rows.every((row) => row.revoked_at !== null && row.address === ''));
  await refusedWith(close('8999999999999999'), 'USER_NOT_FOUND');
});

test('messages stay and show a deleted user, also if the sender was cached', async () => {
  const [ann, bob] = [await register(), await register()];
  const id = await repo.newGroup([ann.id, bob.id]);
  await repo.say(id, ann.id, 'hello');
  const read = async () => {
    const page = { userId: bob.id, conversationId: id, limit: 10 };
    const { messages } = await repo.messages.getMessages(page);
    return messages.map(({ content, sender }) => [content, sender?.id, sender?.displayName]);
  };
  assert.deepEqual(await read(), [['hello', ann.id, ann.username]]);
  await close(ann.id);
  assert.deepEqual(await read(), [['hello', ann.id, 'deleted user']]);
});

test('an open account loses nothing', async () => {
  const { id } = await register();
  await refusedWith(people.endRelationships({ userId: id, limit: 0 }), 'PERMISSION_DENIED');
  await refusedWith(leave(id), 'PERMISSION_DENIED');
  assert.equal((await repo.see(id, world)).conversation?.type, 3);
});

test('friendships, requests and blocks end by pages, and single conversations refuse messages', async () => {
  const [ann, friend, blocked, blocker, asked, asking] = await Promise.all([
    register(),
    register(),
    register(),
    register(),
    register(),
    register(),
  ]);
  assert.ok(ann && friend && blocked && blocker && asked && asking);
  await repo.befriend(ann.id, friend.id);
  const single = idOf((await repo.openSingle(ann.id, friend.id)).conversation);
  await repo.befriend(ann.id, blocked.id);
  const toBlocked = idOf((await repo.openSingle(ann.id, blocked.id)).conversation);
  await people.blockUser({ userId: ann.id, blockedId: blocked.id });
  await people.blockUser({ userId: blocker.id, blockedId: ann.id });
  const request = (requesterId: string, targetId: string) =>
    people.createFriendRequest({ requesterId, targetId, message: '', ttlMs: hour });
  const outgoing = await request(ann.id, asked.id);
  const incoming = await request(asking.id, ann.id);

  await close(ann.id);
  const pages = [];
  for (let more = true; more; ) {
    const page = await people.endRelationships({ userId: ann.id, limit: 2 });
    pages.push(page.ended);
    more = page.more;
  }
  assert.deepEqual(pages, [2, 2, 1]);
  assert.deepEqual(await people.endRelationships({ userId: ann.id, limit: 2 }), { ended: 0, more: false });

  const { friends } = await people.getUserFriends({ userId: friend.id, limit: 0, offset: 0, friendId: '' });
  assert.deepEqual(friends, []);
  assert.deepEqual((await people.listBlocks({ userId: blocker.id })).users, []);
  const statusOf = async (requestId = '') =>
    (await people.getFriendRequest({ requestId, userId: '', otherUserId: '' })).request?.status;
  assert.equal(await statusOf(outgoing.request?.id), friendRequestStatus.withdrawn);
  assert.equal(await statusOf(incoming.request?.id), friendRequestStatus.rejected);

  for (const [userId, conversationId] of [
    [friend.id, single],
    [blocked.id, toBlocked],
  ] as const) {
    const seen = await repo.see(userId, conversationId);
    assert.equal(seen.peer?.displayName, 'deleted user');
    await assert.rejects(repo.say(conversationId, userId), /friend/i);
  }
  const told = (await repo.events()).filter((event) => event.actor_id === ann.id).map(({ type }) => type);
  for (const type of [
    'friend.removed',
    'friend.unblocked',
    'friend.request.withdrawn',
    'friend.request.rejected',
  ]) {
    assert.ok(told.includes(type), type);
  }
  await refusedWith(request(friend.id, ann.id), 'USER_NOT_FOUND');
});

test('groups go to the oldest admin, else to the oldest member, and are dissolved without other members', async () => {
  // One after the other: of two who joined in the same moment, the lower id is the older one.
  const { id: ann } = await register();
  const { id: bob } = await register();
  const { id: cy } = await register();
  const { id: dan } = await register();
  const withAdmins = await repo.newGroup([ann, bob]);
  await repo.conversations.addConversationMember({ actorId: ann, conversationId: withAdmins, userIds: [cy] });
  await repo.conversations.updateConversationMember({
    actorId: ann,
    conversationId: withAdmins,
    userId: cy,
    role: 2,
  });
  const withMembers = await repo.newGroup([ann, dan]);
  await repo.conversations.addConversationMember({
    actorId: ann,
    conversationId: withMembers,
    userIds: [bob],
  });
  await repo.databases.users.execute(
    'UPDATE conversation_members SET joined_at = joined_at - 1000, muted = TRUE WHERE conversation_id = ? AND user_id = ?',
    [Number(withMembers), Number(dan)],
  );
  const alone = await repo.newGroup([ann]);
  const hidden = idOf((await repo.createGroup(ann, [], { activate: false })).conversation);
  const asMember = await repo.newGroup([bob, ann]);
  const worldBefore = (await repo.see(bob, world)).conversation?.memberCount ?? 0;
  // Fills the cache with the values from before the change.
  await repo.list(bob);

  await close(ann);
  let [left, dissolved] = [0, 0];
  for (let more = true; more; ) {
    const page = await leave(ann, 2);
    left += page.left;
    dissolved += page.dissolved;
    more = page.more;
  }
  assert.deepEqual([left, dissolved], [6, 2]);
  assert.deepEqual(await leave(ann), { left: 0, dissolved: 0, more: false });

  assert.deepEqual(await membersOf(withAdmins), [
    [bob, 1],
    [cy, 3],
  ]);
  const seen = await repo.see(cy, withAdmins);
  assert.deepEqual([seen.conversation?.ownerId, seen.conversation?.memberCount], [cy, 2]);
  assert.deepEqual(await membersOf(withMembers), [
    [bob, 1],
    [dan, 3],
  ]);
  assert.equal((await repo.see(dan, withMembers)).userMembership?.muted, false);
  assert.deepEqual(await membersOf(asMember), [[bob, 3]]);
  await refusedWith(repo.see(ann, alone), 'CONVERSATION_NOT_FOUND');
  await refusedWith(repo.see(ann, withAdmins), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(
    repo.conversations.activateConversation({ conversationId: hidden }),
    'CONVERSATION_NOT_FOUND',
  );
  assert.equal((await repo.see(bob, world)).conversation?.memberCount, worldBefore - 1);
  assert.deepEqual(
    (await repo.eventsOf(withAdmins)).slice(-5).map((event) => event.type ?? event.frame),
    [
      'conversation.member.removed',
      'member-removed',
      'conversation.member.updated',
      'conversation.updated',
      'conversation-updated',
    ],
  );
  assert.deepEqual(await wrongAt([withAdmins, withMembers, asMember, world]), []);
});
