import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { codeOf, GoChatError } from '../../../../lib/errors.ts';
import type { User } from '../../../../lib/gen/im_repo/v1/user.ts';
import { requestStatus } from '../../../../services/repo/friends/friendship-requests.ts';
import { eventually } from '../../../support/eventually.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';
import { createUserParts } from '../../../support/repo/user-parts.ts';

const { pending, accepted, rejected, blocked, expired, withdrawn } = requestStatus;
const ttlMs = 60_000;
/** Ids of the accounts that this test's presence calls online. */
const online = new Set<string>();
let alice: User;
let bob: User;

const { parts } = await openRepoParts();
const friendships = createUserParts(parts, {
  batchGetOnlineStatus: async ({ userIds }) => ({
    statuses: userIds.map((userId) => ({
      userId,
      online: online.has(userId),
      lastActiveAt: online.has(userId) ? 5 : 0,
      gatewayIds: [],
    })),
  }),
});

beforeEach(async () => {
  [alice, bob] = await Promise.all([newUser(), newUser()]);
});

const refusal = (code: string) => (error: unknown) => codeOf(error) === code;

async function newUser(): Promise<User> {
  const { user } = await friendships.createUser({ username: '', password: '', avatarUrl: '', isGuest: true });
  assert.ok(user);
  return user;
}

async function ask(from: User, to: User, ttl = ttlMs, cooldownMs = 0) {
  const { request, created } = await friendships.createFriendRequest({
    requesterId: from.id,
    targetId: to.id,
    message: 'hi',
    ttlMs: ttl,
    cooldownMs,
  });
  assert.ok(request);
  return { ...request, created };
}

const decide = async (requestId: string, actor: User | undefined, status: number) => {
  const { request, changed } = await friendships.updateFriendRequest({
    requestId,
    actorId: actor?.id ?? '',
    status,
  });
  assert.ok(request);
  return { status: request.status, changed };
};

async function befriend(one: User, other: User): Promise<void> {
  await decide((await ask(one, other)).id, other, accepted);
}

async function standing(one: User, other: User) {
  const { relationships } = await friendships.getRelationships({ userId: one.id, otherUserIds: [other.id] });
  const [found] = relationships;
  assert.ok(found);
  return { friends: found.friends, blockedBy: found.blockedBy, blocking: found.blocking };
}

const eventsOf = async (requestId: string) =>
  (await parts.events()).filter((event) => event.request_id === requestId).map(({ type }) => type);

/** Their single conversation, as if it had been made when they became friends. */
async function converse(
  one: User,
  other: User,
): Promise<{ id: number; sendState(): Promise<number | undefined> }> {
  const { databases, ids } = parts;
  const id = ids.nextId();
  const key = [one.id, other.id].sort((a, b) => Number(a) - Number(b)).join(':');
  await databases.conversations.execute(
    `INSERT INTO conversations (id, type, status, name, avatar_url, description, announcement, owner_id, member_count,
       invite_by, mute_all, max_members, single_key, created_at, updated_at)
     VALUES (?, 1, 1, '', '', '', '', 0, 2, 'admins', FALSE, 2, ?, 0, 0)`,
    [id, key],
  );
  await databases.conversations.execute('INSERT INTO conversation_heads (conversation_id) VALUES (?)', [id]);
  return {
    id,
    async sendState() {
      const [row] = await databases.conversations.query<{ state: number }>(
        'SELECT send_state AS state FROM conversations WHERE id = ?',
        [id],
      );
      return row?.state;
    },
  };
}

test('a request is stored once, and told once', async () => {
  const first = await ask(alice, bob);
  assert.equal(first.created, true);
  assert.deepEqual([first.requester, first.target, first.status, first.message], [alice, bob, pending, 'hi']);
  assert.equal(first.expiresAt - first.createdAt, ttlMs);
  const second = await ask(alice, bob);
  assert.deepEqual([second.id, second.created], [first.id, false]);
  assert.deepEqual(await eventsOf(first.id), ['friend.request.created']);
});

test('while one is pending the other direction answers that one', async () => {
  const first = await ask(alice, bob);
  const back = await ask(bob, alice);
  assert.deepEqual([back.id, back.created, back.requester], [first.id, false, alice]);
});

test('who was rejected asks again only after a while, whoever else may at once', async () => {
  const hour = 3_600_000;
  const askSoon = (from: User, to: User) => ask(from, to, ttlMs, hour);
  const { id } = await askSoon(alice, bob);
  await decide(id, bob, 2);
  await assert.rejects(askSoon(alice, bob), (error) => {
    assert.ok(error instanceof GoChatError && error.code === 'RATE_LIMITED');
    assert.ok(
      error.retryAfterMs !== undefined && error.retryAfterMs > hour - 60_000 && error.retryAfterMs <= hour,
    );
    return true;
  });
  await parts.databases.users.execute(
    'UPDATE friendship_requests SET updated_at = updated_at - ? WHERE id = ?',
    [hour, Number(id)],
  );
  const second = await askSoon(alice, bob);
  assert.equal(second.created, true, 'the while is over');
  await decide(second.id, bob, 2);

  // The other one's own request has no wait, and answers as ever.
  const back = await askSoon(bob, alice);
  assert.equal(back.created, true);
  assert.equal((await askSoon(alice, bob)).id, back.id);
  await decide(back.id, alice, 1);
  await friendships.deleteFriend({ userId: alice.id, friendId: bob.id });
  assert.equal((await askSoon(alice, bob)).created, true, 'they were friends since');
});

test('a withdrawal and an expiry have no such wait', async () => {
  const askSoon = (ttl: number) => ask(alice, bob, ttl, 3_600_000);
  await decide((await askSoon(ttlMs)).id, alice, 5);
  const second = await askSoon(1);
  assert.equal(second.created, true);
  await eventually(() => Date.now() > second.expiresAt);
  assert.equal((await askSoon(ttlMs)).created, true);
});

test('of many requests at once, in both directions, one is stored', async () => {
  const asked = await Promise.all(
    Array.from({ length: 12 }, (_, n) => (n % 2 ? ask(alice, bob) : ask(bob, alice))),
  );
  assert.equal(asked.filter(({ created }) => created).length, 1);
  assert.equal(new Set(asked.map(({ id }) => id)).size, 1);
});

test('nobody befriends themselves, strangers or friends', async () => {
  await assert.rejects(ask(alice, alice), refusal('INVALID_ARGUMENT'));
  for (const id of ['99', 'x', '']) {
    await assert.rejects(
      friendships.createFriendRequest({ requesterId: alice.id, targetId: id, message: '', ttlMs }),
      refusal('USER_NOT_FOUND'),
    );
  }
  await befriend(alice, bob);
  await assert.rejects(ask(bob, alice), refusal('ALREADY_FRIENDS'));
});

test('acceptance makes both friends at once; its event waits for the conversation', async () => {
  const { id } = await ask(alice, bob);
  assert.deepEqual(await decide(id, bob, accepted), { status: accepted, changed: true });
  assert.deepEqual((await standing(alice, bob)).friends, true);
  assert.deepEqual((await standing(bob, alice)).friends, true);
  assert.deepEqual(await eventsOf(id), ['friend.request.created']);
});

test('a decision can be repeated and not be changed', async () => {
  const { id } = await ask(alice, bob);
  await decide(id, bob, accepted);
  assert.deepEqual(await decide(id, bob, accepted), { status: accepted, changed: false });
  await assert.rejects(decide(id, bob, rejected), refusal('REQUEST_ALREADY_HANDLED'));
  await assert.rejects(decide(id, alice, withdrawn), refusal('REQUEST_ALREADY_HANDLED'));
});

test('of all decisions at once one wins, and friendship follows it', async () => {
  const { id } = await ask(alice, bob);
  const results = await Promise.allSettled([
    decide(id, bob, accepted),
    decide(id, bob, rejected),
    decide(id, alice, withdrawn),
    decide(id, undefined, expired),
    decide(id, bob, accepted),
    decide(id, bob, rejected),
  ]);
  const won = results.filter((result) => result.status === 'fulfilled' && result.value.changed);
  assert.equal(won.length, 1);
  const { request } = await friendships.getFriendRequest({ requestId: id, userId: '', otherUserId: '' });
  assert.equal((await standing(alice, bob)).friends, request?.status === accepted);
});

test('only the target decides and only the requester withdraws', async () => {
  const { id } = await ask(alice, bob);
  await assert.rejects(decide(id, alice, accepted), refusal('PERMISSION_DENIED'));
  await assert.rejects(decide(id, await newUser(), rejected), refusal('PERMISSION_DENIED'));
  await assert.rejects(decide(id, bob, withdrawn), refusal('PERMISSION_DENIED'));
  await assert.rejects(decide(id, bob, expired), refusal('PERMISSION_DENIED'));
  for (const status of [pending, blocked, 7])
    await assert.rejects(decide(id, bob, status), refusal('INVALID_ARGUMENT'));
  for (const missing of ['99', 'x', ''])
    await assert.rejects(decide(missing, bob, accepted), refusal('REQUEST_NOT_FOUND'));
});

test('rejection, withdrawal and expiry are told and leave room for a new request', async () => {
  for (const [status, actor, type] of [
    [rejected, bob, 'rejected'],
    [withdrawn, alice, 'withdrawn'],
    [expired, undefined, 'expired'],
  ] as const) {
    const { id, created } = await ask(alice, bob);
    assert.equal(created, true);
    await decide(id, actor, status);
    assert.deepEqual(await eventsOf(id), ['friend.request.created', `friend.request.${type}`]);
  }
});

test('an overdue request is expired for whoever looks, decides or asks again, though nobody marked it', async () => {
  const first = await ask(alice, bob, -1);
  const list = async (status: number) =>
    (
      await friendships.listFriendRequests({ userId: bob.id, outgoing: false, status, limit: 0, offset: 0 })
    ).requests.map(({ id, status }) => [id, status]);
  assert.deepEqual(await list(pending), []);
  assert.deepEqual(await list(expired), [[first.id, expired]]);
  const { request } = await friendships.getFriendRequest({
    requestId: first.id,
    userId: '',
    otherUserId: '',
  });
  assert.equal(request?.status, expired);
  await assert.rejects(decide(first.id, bob, accepted), refusal('REQUEST_ALREADY_HANDLED'));
  assert.deepEqual(await eventsOf(first.id), ['friend.request.created', 'friend.request.expired']);

  const second = await ask(alice, bob, -1);
  const third = await ask(bob, alice);
  assert.deepEqual([second.created, third.created], [true, true]);
  assert.deepEqual(await eventsOf(second.id), ['friend.request.created', 'friend.request.expired']);
  assert.equal((await standing(alice, bob)).friends, false);
});

test('the latest request of a pair is found from both sides', async () => {
  const first = await ask(alice, bob);
  await decide(first.id, bob, rejected);
  const second = await ask(bob, alice);
  for (const [userId, otherUserId] of [
    [alice.id, bob.id],
    [bob.id, alice.id],
  ] as const) {
    const { request } = await friendships.getFriendRequest({ requestId: '', userId, otherUserId });
    assert.equal(request?.id, second.id);
  }
  await assert.rejects(
    friendships.getFriendRequest({ requestId: '', userId: alice.id, otherUserId: (await newUser()).id }),
    refusal('REQUEST_NOT_FOUND'),
  );
});

test('requests are listed by direction and status, newest first, by page', async () => {
  const others = await Promise.all([newUser(), newUser(), newUser()]);
  const sent = [];
  for (const other of others) sent.push((await ask(alice, other)).id);
  await ask(bob, alice);
  await decide(sent[1] ?? '', others[1], rejected);
  const list = async (over: { status?: number; limit?: number; offset?: number }) =>
    (
      await friendships.listFriendRequests({ userId: alice.id, outgoing: true, limit: 0, offset: 0, ...over })
    ).requests.map(({ id }) => id);
  assert.deepEqual(await list({}), sent.toReversed());
  assert.deepEqual(await list({ status: rejected }), [sent[1]]);
  assert.deepEqual(await list({ limit: 1, offset: 1 }), [sent[1]]);
  const { requests } = await friendships.listFriendRequests({
    userId: alice.id,
    outgoing: false,
    limit: 0,
    offset: 0,
  });
  assert.deepEqual(
    requests.map(({ requester }) => requester),
    [bob],
  );
});

test('friends come with remark, presence and conversation', async () => {
  await befriend(alice, bob);
  const carol = await newUser();
  await befriend(carol, alice);
  const conversation = await converse(alice, bob);
  online.add(bob.id);
  await friendships.updateFriendRemark({ userId: alice.id, friendId: bob.id, remark: 'Bobby' });
  const { friends } = await friendships.getUserFriends({
    userId: alice.id,
    limit: 0,
    offset: 0,
    friendId: '',
  });
  assert.deepEqual(friends, [
    { user: bob, remark: 'Bobby', online: true, lastActiveAt: 5, conversationId: String(conversation.id) },
    { user: carol, remark: '', online: false, lastActiveAt: 0, conversationId: '' },
  ]);
  const page = await friendships.getUserFriends({ userId: alice.id, limit: 1, offset: 1, friendId: '' });
  assert.deepEqual(
    page.friends.map(({ user }) => user),
    [carol],
  );
  const one = await friendships.getUserFriends({ userId: bob.id, limit: 0, offset: 0, friendId: alice.id });
  assert.deepEqual(
    one.friends.map(({ user, remark }) => [user, remark]),
    [[alice, '']],
    "a remark is its writer's own",
  );
  const { friends: ids } = await friendships.batchGetFriendIds({ userIds: [bob.id, '99', alice.id] });
  assert.deepEqual(ids, [
    { userId: bob.id, friendIds: [alice.id] },
    { userId: '99', friendIds: [] },
    { userId: alice.id, friendIds: [bob.id, carol.id] },
  ]);
  await assert.rejects(
    friendships.updateFriendRemark({ userId: bob.id, friendId: carol.id, remark: '' }),
    refusal('NOT_FRIENDS'),
  );
  await assert.rejects(
    friendships.updateFriendRemark({ userId: bob.id, friendId: '99', remark: '' }),
    refusal('USER_NOT_FOUND'),
  );
});

test('unfriending closes the conversation, becoming friends again opens it', async () => {
  await befriend(alice, bob);
  const conversation = await converse(alice, bob);
  await friendships.deleteFriend({ userId: bob.id, friendId: alice.id });
  assert.equal((await standing(alice, bob)).friends, false);
  assert.equal((await standing(bob, alice)).friends, false);
  assert.equal(await conversation.sendState(), 1);
  await friendships.deleteFriend({ userId: bob.id, friendId: alice.id });
  const told = (await parts.events()).filter(
    (event) => event.type === 'friend.removed' && event.user_id === bob.id,
  );
  assert.equal(told.length, 1);
  await befriend(alice, bob);
  assert.equal(await conversation.sendState(), 0);
});

test('a block ends the friendship and what is pending, and refuses messages and requests both ways', async () => {
  await befriend(alice, bob);
  const conversation = await converse(alice, bob);
  await friendships.blockUser({ userId: alice.id, blockedId: bob.id });
  assert.deepEqual(await standing(alice, bob), { friends: false, blockedBy: false, blocking: true });
  assert.deepEqual(await standing(bob, alice), { friends: false, blockedBy: true, blocking: false });
  assert.equal(await conversation.sendState(), 2);
  await assert.rejects(ask(alice, bob), refusal('BLOCKED'));
  await assert.rejects(ask(bob, alice), refusal('BLOCKED'));

  const carol = await newUser();
  const request = await ask(carol, alice);
  await friendships.blockUser({ userId: alice.id, blockedId: carol.id });
  const { request: after } = await friendships.getFriendRequest({
    requestId: request.id,
    userId: '',
    otherUserId: '',
  });
  assert.equal(after?.status, blocked);
  await assert.rejects(decide(request.id, alice, accepted), refusal('REQUEST_ALREADY_HANDLED'));
  assert.deepEqual((await friendships.listBlocks({ userId: alice.id })).users, [carol, bob]);
});

test('messages stay refused until both have lifted their block, and friendship is not restored', async () => {
  await befriend(alice, bob);
  const conversation = await converse(alice, bob);
  await Promise.all([
    friendships.blockUser({ userId: alice.id, blockedId: bob.id }),
    friendships.blockUser({ userId: bob.id, blockedId: alice.id }),
    friendships.blockUser({ userId: alice.id, blockedId: bob.id }),
  ]);
  await friendships.unblockUser({ userId: alice.id, blockedId: bob.id });
  assert.equal(await conversation.sendState(), 2);
  await assert.rejects(ask(alice, bob), refusal('BLOCKED'));
  await friendships.unblockUser({ userId: bob.id, blockedId: alice.id });
  await friendships.unblockUser({ userId: bob.id, blockedId: alice.id });
  assert.equal(await conversation.sendState(), 1);
  assert.deepEqual(await standing(alice, bob), { friends: false, blockedBy: false, blocking: false });
  const told = (await parts.events()).filter(
    (event) => [alice.id, bob.id].includes(String(event.user_id)) && String(event.type).endsWith('blocked'),
  );
  assert.deepEqual(told.map(({ type }) => type).sort(), [
    'friend.blocked',
    'friend.blocked',
    'friend.unblocked',
    'friend.unblocked',
  ]);
});

test('a block and an acceptance at once never leave a blocked friend', async () => {
  for (let round = 0; round < 10; round++) {
    const [one, other] = await Promise.all([newUser(), newUser()]);
    const conversation = await converse(one, other);
    const { id } = await ask(one, other);
    await Promise.allSettled([
      decide(id, other, accepted),
      friendships.blockUser({ userId: one.id, blockedId: other.id }),
    ]);
    assert.deepEqual(await standing(one, other), { friends: false, blockedBy: false, blocking: true });
    assert.equal(await conversation.sendState(), 2);
  }
});

test('nobody blocks themselves or a stranger', async () => {
  await assert.rejects(
    friendships.blockUser({ userId: alice.id, blockedId: alice.id }),
    refusal('INVALID_ARGUMENT'),
  );
  await assert.rejects(
    friendships.blockUser({ userId: alice.id, blockedId: '99' }),
    refusal('USER_NOT_FOUND'),
  );
  await assert.rejects(
    friendships.unblockUser({ userId: alice.id, blockedId: 'x' }),
    refusal('USER_NOT_FOUND'),
  );
});

test('relationships are answered for every id asked, in order', async () => {
  await befriend(alice, bob);
  const { relationships } = await friendships.getRelationships({
    userId: alice.id,
    otherUserIds: ['x', bob.id, '99'],
  });
  const nothing = { exists: false, friends: false, blockedBy: false, blocking: false };
  assert.deepEqual(relationships, [
    { userId: 'x', ...nothing },
    { userId: bob.id, ...nothing, exists: true, friends: true },
    { userId: '99', ...nothing },
  ]);
});
