import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { friendRequestStatus } from '../../../../lib/domain/enumerations.ts';
import type { User } from '../../../../lib/gen/im_repo/v1/user.ts';
import { refusal } from '../../../support/refused-with.ts';
import { openFriendsRepo } from '../../../support/repo/friends-repo.ts';

const { accepted, blocked } = friendRequestStatus;
const { parts, friendships, online, newUser, ask, decide, befriend, standing, converse } =
  await openFriendsRepo();

let alice: User;
let bob: User;

beforeEach(async () => {
  [alice, bob] = await Promise.all([newUser(), newUser()]);
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

test('a block ends the friendship and pending requests, and refuses messages and requests in both directions', async () => {
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

test('blocking oneself or an unknown user is refused', async () => {
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
