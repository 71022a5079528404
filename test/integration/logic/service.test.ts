import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { UpstreamMessage } from '../../../lib/records/records.ts';
import { eventually } from '../../support/eventually.ts';
import { openLogicSystem } from '../../support/logic/logic-system.ts';
import { password, register as registerWith } from '../../support/logic/logic-users.ts';
import { refusedWith } from '../../support/refused-with.ts';

// No server runs at this address: these tests must not need Temporal.
const system = await openLogicSystem({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
const register = () => registerWith(system);

async function friends(): Promise<{ a: string; b: string; conversationId: string }> {
  const [a, b] = (await Promise.all([register(), register()])).map(({ userId }) => userId);
  assert.ok(a && b);
  const { request } = await system.repo.friendships.createFriendRequest({
    requesterId: a,
    targetId: b,
    message: '',
    ttlMs: 60_000,
  });
  await system.repo.friendships.updateFriendRequest({ requestId: request?.id ?? '', actorId: b, status: 1 });
  const { conversation } = await open(a, b);
  return { a, b, conversationId: conversation?.conversation?.id ?? '' };
}

const open = (userId: string, ...memberIds: string[]) =>
  system.logic.conversations.createConversation({
    userId,
    type: 1,
    memberIds,
    name: '',
    avatarUrl: '',
    description: '',
    idempotencyKey: '',
    conversationId: '',
  });

const send = (userId: string, conversationId: string, content: string, clientMsgId: string = randomUUID()) =>
  system.logic.messages.sendMessage({
    userId,
    conversationId,
    clientMsgId,
    content,
    messageType: 1,
    mentions: [],
  });

const upstream = (
  userId: string,
  conversationId: string,
  sessionId: string,
  clientMsgId: string,
): UpstreamMessage => ({
  user_id: userId,
  conversation_id: conversationId,
  message_type: 1,
  content: `says ${clientMsgId}`,
  client_msg_id: clientMsgId,
  timestamp: Date.now(),
  gateway_id: system.gateway.gatewayId,
  gateway_boot_id: system.gateway.bootId,
  session_id: sessionId,
});

test('a single conversation is for two friends, and the same one every time', async () => {
  const { a, b, conversationId } = await friends();
  const again = await open(b, a);
  assert.equal(again.conversation?.conversation?.id, conversationId);
  assert.equal(again.conversation?.peer?.id, a);
  const { userId: stranger } = await register();
  await refusedWith(open(a, stranger), 'NOT_FRIENDS');
  await refusedWith(open(a, a), 'INVALID_ARGUMENT');
  await refusedWith(open(a, b, stranger), 'INVALID_ARGUMENT');
  await refusedWith(open(a, '999999999999999'), 'USER_NOT_FOUND');
  await refusedWith(open(a, 'nobody'), 'USER_NOT_FOUND');
  await system.logic.friends.blockUser({ userId: b, blockedId: a });
  await refusedWith(open(a, b), 'BLOCKED');
});

test('a group with unknown or too many members, or an invalid name, is refused as a whole', async () => {
  const { userId } = await register();
  const group = (change: object) =>
    system.logic.conversations.createConversation({
      userId,
      type: 2,
      memberIds: [],
      name: 'G',
      avatarUrl: '',
      description: '',
      idempotencyKey: '',
      conversationId: '',
      ...change,
    });
  await refusedWith(group({ memberIds: ['999999999999999'] }), 'USER_NOT_FOUND');
  await refusedWith(group({ name: '' }), 'INVALID_ARGUMENT');
  await refusedWith(group({ name: 'x'.repeat(101) }), 'INVALID_ARGUMENT');
  await refusedWith(group({ type: 3 }), 'INVALID_ARGUMENT');
  const { userId: blocker } = await register();
  await system.logic.friends.blockUser({ userId: blocker, blockedId: userId });
  await refusedWith(group({ memberIds: [blocker] }), 'BLOCKED');
  const { conversations } = await system.logic.conversations.getConversationsOptimized({
    userId,
    limit: 10,
    offset: 0,
    updatedSince: 0,
  });
  assert.deepEqual(
    conversations.map(({ conversation }) => conversation?.id),
    ['1'],
  );
});

test('while Temporal is down, calls that need it fail soon, and others work', async () => {
  const [{ userId }, { userId: targetUserId }] = [await register(), await register()];
  const started = Date.now();
  await refusedWith(
    system.logic.friends.sendFriendRequest({ userId, targetUserId, message: '', idempotencyKey: '' }),
    'UNAVAILABLE',
  );
  assert.ok(Date.now() - started < 5000);
  await refusedWith(
    system.logic.friends.sendFriendRequest({
      userId,
      targetUserId: userId,
      message: '',
      idempotencyKey: '',
    }),
    'INVALID_ARGUMENT',
  );
  const { user } = await system.logic.users.getUser({ userId: targetUserId });
  assert.equal(user?.id, targetUserId);
});

test('while Temporal is down, nobody is added, removed or erased', async () => {
  const [{ userId }, { userId: other }] = [await register(), await register()];
  const { conversation } = await system.repo.conversations.createConversation({
    conversationId: '',
    type: 2,
    name: 'a group',
    avatarUrl: '',
    description: '',
    creatorId: userId,
    initialMemberIds: [],
    activate: true,
    maxMembers: 0,
    friendRequestId: '',
  });
  const call = { userId, conversationId: conversation?.conversation?.id ?? '' };
  const { conversations, users } = system.logic;
  const member = { ...call, memberIds: [other], idempotencyKey: '' };
  await Promise.all(
    [
      conversations.addMembers(member),
      conversations.removeMembers({ ...member, memberIds: [userId] }),
      conversations.transferOwnership({ ...call, newOwnerId: other }),
      conversations.dissolveConversation(call),
      users.deleteAccount({ userId, password }),
    ].map((refused) => refusedWith(refused, 'UNAVAILABLE')),
  );
  for (const wrong of [undefined, '', 'not the password']) {
    await refusedWith(users.deleteAccount({ userId, password: wrong }), 'PERMISSION_DENIED');
  }
  const after = await conversations.getConversation(call);
  assert.equal(after.conversation?.conversation?.memberCount, 1);
  assert.equal((await users.getUser({ userId })).user?.id, userId);
});

test('a message sent by REST is answered as stored; sent again it is the first one', async () => {
  const { a, b, conversationId } = await friends();
  const first = await send(a, conversationId, 'hello', 'x');
  assert.equal(first.duplicate, false);
  assert.equal(first.message?.seqId, 1);
  assert.equal(first.message?.sender?.id, a);
  const second = await send(a, conversationId, 'something else', 'x');
  assert.equal(second.duplicate, true);
  assert.deepEqual(second.message, first.message);
  await refusedWith(send((await register()).userId, conversationId, 'hi'), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(send(a, '999999999999999', 'hi'), 'CONVERSATION_NOT_FOUND');
  await refusedWith(send(a, conversationId, 'x'.repeat(4001)), 'MESSAGE_TOO_LARGE');
  await system.logic.friends.deleteFriend({ userId: b, friendId: a });
  await refusedWith(send(a, conversationId, 'hi'), 'NOT_FRIENDS');
});

test('a retry is acknowledged as a duplicate; a redelivery is delivered again under the same seq id', async () => {
  const { a, b, conversationId } = await friends();
  const session = await system.connect(a);
  await system.connect(b);
  const mine = () => system.messages().filter((one) => one.conversation_id === conversationId);
  const acks = () => system.acks().filter((one) => one.conversation_id === conversationId);
  await system.append(upstream(a, conversationId, session, 'x'));
  await eventually(() => acks().length === 1);
  assert.deepEqual(
    mine().map(({ seq_id }) => seq_id),
    [1],
  );
  const [delivered] = mine();
  assert.deepEqual(delivered?.target_user_ids?.toSorted(), [a, b].toSorted());

  await system.append(upstream(a, conversationId, session, 'x'));
  await eventually(() => acks().length === 2);
  assert.deepEqual(
    acks().map(({ seq_id, duplicate }) => [seq_id, duplicate]),
    [
      [1, false],
      [1, true],
    ],
  );
  assert.equal(mine().length, 1);

  await system.redeliver(() => acks().length === 4);
  assert.deepEqual(
    mine().map(({ seq_id }) => seq_id),
    [1, 1],
  );
  assert.deepEqual(
    acks()
      .slice(2)
      .map(({ seq_id, duplicate }) => [seq_id, duplicate]),
    [
      [1, false],
      [1, true],
    ],
  );
});

test('typing is shown to the other online members, and refused for users who are not members', async () => {
  const { a, b, conversationId } = await friends();
  await system.connect(a);
  await system.connect(b);
  await system.logic.conversations.notifyTyping({ userId: a, conversationId });
  const shown = () =>
    system.events().filter(({ frame, data }) => frame === 'typing-indicator' && data.userId === a);
  await eventually(() => shown().length === 1);
  assert.deepEqual(shown()[0]?.target_user_ids, [b]);
  assert.deepEqual(shown()[0]?.data, { conversationId, userId: a });
  await refusedWith(
    system.logic.conversations.notifyTyping({ userId: (await register()).userId, conversationId }),
    'NOT_CONVERSATION_MEMBER',
  );
});

test('both ways to the conversation list answer the same', async () => {
  const { a, conversationId } = await friends();
  await send(a, conversationId, 'hello');
  const both = async (page: { limit: number; cursor?: string | undefined }) => {
    const request = { userId: a, offset: 0, updatedSince: 0, ...page };
    const plain = await system.logic.conversations.getConversations(request);
    const optimized = await system.logic.conversations.getConversationsOptimized(request);
    const { conversations, hasMore, nextCursor } = optimized;
    assert.deepEqual(plain, { conversations, hasMore, nextCursor });
    return plain;
  };
  const whole = await both({ limit: 10 });
  assert.equal(whole.conversations[0]?.conversation?.id, conversationId);
  assert.equal(whole.conversations[0]?.lastMessage?.content, 'hello');
  const { nextCursor: cursor } = await both({ limit: 1 });
  const rest = await both({ limit: 10, cursor });
  assert.deepEqual([rest.conversations, rest.hasMore], [whole.conversations.slice(1), false]);
});

test('the counters that alert rules read are there from the start', async () => {
  const text = await (await fetch(`http://127.0.0.1:${system.adminPort}/metrics`)).text();
  for (const name of [
    'gochat_message_send_total',
    'gochat_message_send_failures_total',
    'gochat_message_send_errors_total',
    'gochat_conversation_load_duration_seconds_bucket',
    'gochat_fanout_latency_seconds_bucket',
    'gochat_upstream_queue_depth',
  ]) {
    assert.match(text, new RegExp(`^${name}[ {]`, 'm'), name);
  }
});
