import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { type Code, GoChatError } from '../../../lib/errors.ts';
import type { Session } from '../../../lib/gen/im_logic/v1/auth.ts';
import type { UpstreamMessage } from '../../../lib/kafka/records.ts';
import { eventually } from '../../support/eventually.ts';
import { openIdentityProvider } from '../../support/logic/identity-provider.ts';
import { openLogicSystem } from '../../support/logic/logic-system.ts';

const provider = await openIdentityProvider();
// Nobody answers there: what is tested here must not need Temporal.
const system = await openLogicSystem({
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  AUTH_ISSUERS_FILE: provider.issuersFile,
});

const password = 'correct horse battery';
const client = { userAgent: 'test', address: '127.0.0.1' };
const uniqueName = () => `u${randomUUID().slice(0, 12)}`;

const refuses = (code: Code) => (error: unknown) => {
  assert.ok(error instanceof GoChatError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

function sessionOf({ session }: { session?: Session | undefined }): Session & { userId: string } {
  assert.ok(session?.user);
  return { ...session, userId: session.user.id };
}

const register = async (username = uniqueName()) =>
  sessionOf(await system.logic.auth.register({ username, password, avatarUrl: '', client }));

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

test('a wrong password and an unknown name are refused with the same sentence', async () => {
  const username = uniqueName();
  await register(username);
  const sentences: string[] = [];
  for (const name of [username, uniqueName(), "x' OR 1=1", '']) {
    await assert.rejects(
      system.logic.auth.login({ username: name, password: 'not the password', client }),
      (error) => {
        refuses('UNAUTHENTICATED')(error);
        sentences.push(String(error));
        return true;
      },
    );
  }
  assert.equal(new Set(sentences).size, 1);
  sessionOf(await system.logic.auth.login({ username: username.toUpperCase(), password, client }));
});

test('a refresh token used again at once gets the same successor and a working access token', async () => {
  const { userId, sessionId, accessToken, refreshToken } = await register();
  const refresh = async (token: string) =>
    sessionOf(await system.logic.auth.refreshToken({ refreshToken: token }));
  const [next, again] = await Promise.all([refresh(refreshToken), refresh(refreshToken)]);
  assert.equal(next.userId, userId);
  assert.equal(next.sessionId, sessionId);
  assert.notEqual(next.refreshToken, refreshToken);
  assert.equal(again.refreshToken, next.refreshToken);
  for (const token of [accessToken, next.accessToken, again.accessToken]) {
    assert.equal((await system.logic.auth.validateToken({ accessToken: token })).valid, true);
  }
  const third = await refresh(next.refreshToken);
  assert.equal((await refresh(refreshToken)).refreshToken, third.refreshToken);
  const stored = JSON.stringify(await system.query('SELECT * FROM sessions WHERE id = ?', [sessionId]));
  for (const token of [refreshToken, next.refreshToken, third.refreshToken]) {
    assert.ok(!stored.includes(token.slice(-20)), 'no refresh token is stored');
  }
});

test('a refresh token used again later revokes the session and its newest token', async () => {
  const { sessionId, accessToken, refreshToken } = await register();
  const next = sessionOf(await system.logic.auth.refreshToken({ refreshToken }));
  assert.equal((await system.logic.auth.validateToken({ accessToken })).valid, true);
  await system.query('UPDATE sessions SET rotated_at = ? WHERE id = ?', [
    String(Date.now() - 20_500),
    sessionId,
  ]);
  await assert.rejects(system.logic.auth.refreshToken({ refreshToken }), refuses('UNAUTHENTICATED'));
  await assert.rejects(
    system.logic.auth.refreshToken({ refreshToken: next.refreshToken }),
    refuses('UNAUTHENTICATED'),
  );
  assert.equal((await system.logic.auth.validateToken({ accessToken: next.accessToken })).valid, false);
  const { sessions } = await system.logic.auth.listRevokedSessions({
    since: Date.now() - 10_000,
    afterSessionId: '',
  });
  assert.ok(sessions.some(({ id }) => id === sessionId));
  for (const forged of ['forged', accessToken, refreshToken.replace('.0.', '.7.'), `${refreshToken}A`]) {
    await assert.rejects(
      system.logic.auth.refreshToken({ refreshToken: forged }),
      refuses('UNAUTHENTICATED'),
      forged,
    );
  }
});

test('a login under way while the password is changed leaves no session behind', async () => {
  const username = uniqueName();
  const { userId, sessionId } = await register(username);
  const login = () => system.logic.auth.login({ username, password, client }).catch(() => undefined);
  const logins = Array.from({ length: 12 }, login);
  const change = system.logic.auth.changePassword({
    userId,
    sessionId,
    oldPassword: password,
    newPassword: 'another password',
  });
  await Promise.all([...logins, ...Array.from({ length: 12 }, login), change]);
  const { sessions } = await system.logic.auth.listSessions({ userId });
  assert.deepEqual(
    sessions.map(({ id }) => id),
    [sessionId],
  );
});

test('a new password needs the old one and signs out the other sessions', async () => {
  const username = uniqueName();
  const { userId, sessionId } = await register(username);
  const other = sessionOf(await system.logic.auth.login({ username, password, client }));
  const change = (oldPassword: string) =>
    system.logic.auth.changePassword({ userId, sessionId, oldPassword, newPassword: 'another password' });
  await assert.rejects(change('not the password'), refuses('PERMISSION_DENIED'));
  assert.deepEqual((await change(password)).revokedSessionIds, [other.sessionId]);
  const { sessions } = await system.logic.auth.listSessions({ userId });
  assert.deepEqual(
    sessions.map(({ id }) => id),
    [sessionId],
  );
  await assert.rejects(system.logic.auth.login({ username, password, client }), refuses('UNAUTHENTICATED'));
});

test('a guest becomes a registered user under the same id, once, and may not make groups before', async () => {
  const guest = sessionOf(await system.logic.auth.guestLogin({ client }));
  assert.equal(guest.user?.isGuest, true);
  const group = {
    userId: guest.userId,
    type: 2,
    memberIds: [],
    name: 'G',
    avatarUrl: '',
    description: '',
    idempotencyKey: '',
    conversationId: '',
  };
  await assert.rejects(system.logic.conversations.createConversation(group), refuses('GUEST_NOT_ALLOWED'));
  const { userId, sessionId } = guest;
  const username = uniqueName();
  const upgrade = () => system.logic.auth.upgradeGuest({ userId, sessionId, username, password, client });
  const upgraded = sessionOf(await upgrade());
  assert.equal(upgraded.userId, userId);
  assert.equal(upgraded.user?.isGuest, false);
  const { sessions } = await system.logic.auth.listSessions({ userId });
  assert.deepEqual(
    sessions.map(({ id }) => id),
    [upgraded.sessionId],
  );
  await assert.rejects(upgrade(), refuses('PERMISSION_DENIED'));
  assert.equal(sessionOf(await system.logic.auth.login({ username, password, client })).userId, userId);
});

const exchange = async (sub: string, profile: Record<string, unknown> = {}) =>
  sessionOf(await system.logic.auth.exchangeToken({ token: await provider.token(sub, profile), client }));

test('whoever another provider knows is one account, made at the first sight, even at once', async () => {
  const sub = randomUUID();
  const sessions = await Promise.all(Array.from({ length: 5 }, () => exchange(sub)));
  assert.equal(new Set(sessions.map(({ userId }) => userId)).size, 1);
  const again = await exchange(sub);
  assert.equal(again.userId, sessions[0]?.userId);
  assert.match(again.user?.username ?? '', /^user-/);
  assert.equal(again.user?.isGuest, false);
  assert.notEqual((await exchange(sub.toUpperCase())).userId, again.userId, 'compared byte for byte');
  assert.equal((await system.logic.auth.validateToken({ accessToken: again.accessToken })).valid, true);
  await assert.rejects(
    system.logic.auth.exchangeToken({ token: again.accessToken, client }),
    refuses('UNAUTHENTICATED'),
  );
});

test('the profile follows the token each time, but for claims that cannot be, and names that are taken', async () => {
  const [sub, nick, other, taken] = [randomUUID(), uniqueName(), uniqueName(), uniqueName()];
  await register(taken);
  const shown = async (profile: Record<string, unknown>) => {
    const { username, displayName, avatarUrl } = (await exchange(sub, profile)).user ?? {};
    return [username, displayName, avatarUrl];
  };
  const picture = 'https://pictures.example/1';
  assert.deepEqual(await shown({ nick, name: ' Ann Lee ', picture }), [nick, 'Ann Lee', picture]);
  for (const invalid of [
    {},
    { nick: taken, name: '\u200b', picture: 'javascript:alert(1)' },
    { nick: 'admin', name: 'x'.repeat(51), picture: 'https://a:b@pictures.example' },
    { nick: 'no spaces', name: 5, picture: null },
  ]) {
    assert.deepEqual(await shown(invalid), [nick, 'Ann Lee', picture], JSON.stringify(invalid));
  }
  assert.deepEqual(await shown({ nick: other, name: 'Ann', picture: '' }), [other, 'Ann', '']);
  const found = await system.logic.users.searchUsers({ query: other.slice(2), limit: 5 });
  assert.deepEqual(
    found.users.map(({ username }) => username),
    [other],
  );
  await register(nick);
});

test('an account without a password is erased without one, and its identity may begin anew', async () => {
  const sub = randomUUID();
  const { userId } = await exchange(sub);
  await assert.rejects(
    system.logic.auth.login({ username: (await exchange(sub)).user?.username ?? '', password: '', client }),
    refuses('UNAUTHENTICATED'),
  );
  // Refused for want of Temporal, not of a password.
  await assert.rejects(system.logic.users.deleteAccount({ userId }), refuses('UNAVAILABLE'));
  await system.repo.users.closeAccount({ userId, idleGuestBefore: 0 });
  assert.notEqual((await exchange(sub)).userId, userId);
});

test('a single conversation is for two friends, and the same one every time', async () => {
  const { a, b, conversationId } = await friends();
  const again = await open(b, a);
  assert.equal(again.conversation?.conversation?.id, conversationId);
  assert.equal(again.conversation?.peer?.id, a);
  const { userId: stranger } = await register();
  await assert.rejects(open(a, stranger), refuses('NOT_FRIENDS'));
  await assert.rejects(open(a, a), refuses('INVALID_ARGUMENT'));
  await assert.rejects(open(a, b, stranger), refuses('INVALID_ARGUMENT'));
  await assert.rejects(open(a, '999999999999999'), refuses('USER_NOT_FOUND'));
  await assert.rejects(open(a, 'nobody'), refuses('USER_NOT_FOUND'));
  await system.logic.friends.blockUser({ userId: b, blockedId: a });
  await assert.rejects(open(a, b), refuses('BLOCKED'));
});

test('a group is refused whole: unknown members, too many, a name that is none', async () => {
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
  await assert.rejects(group({ memberIds: ['999999999999999'] }), refuses('USER_NOT_FOUND'));
  await assert.rejects(group({ name: '' }), refuses('INVALID_ARGUMENT'));
  await assert.rejects(group({ name: 'x'.repeat(101) }), refuses('INVALID_ARGUMENT'));
  await assert.rejects(group({ type: 3 }), refuses('INVALID_ARGUMENT'));
  const { userId: blocker } = await register();
  await system.logic.friends.blockUser({ userId: blocker, blockedId: userId });
  await assert.rejects(group({ memberIds: [blocker] }), refuses('BLOCKED'));
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

test('while Temporal is away what needs it says so soon, and the rest works', async () => {
  const [{ userId }, { userId: targetUserId }] = [await register(), await register()];
  const started = Date.now();
  await assert.rejects(
    system.logic.friends.sendFriendRequest({ userId, targetUserId, message: '', idempotencyKey: '' }),
    refuses('UNAVAILABLE'),
  );
  assert.ok(Date.now() - started < 5000);
  await assert.rejects(
    system.logic.friends.sendFriendRequest({
      userId,
      targetUserId: userId,
      message: '',
      idempotencyKey: '',
    }),
    refuses('INVALID_ARGUMENT'),
  );
  const { user } = await system.logic.users.getUser({ userId: targetUserId });
  assert.equal(user?.id, targetUserId);
});

test('while Temporal is away nobody is added, removed or erased', async () => {
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
    ].map((refused) => assert.rejects(refused, refuses('UNAVAILABLE'))),
  );
  for (const wrong of [undefined, '', 'not the password']) {
    await assert.rejects(users.deleteAccount({ userId, password: wrong }), refuses('PERMISSION_DENIED'));
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
  await assert.rejects(
    send((await register()).userId, conversationId, 'hi'),
    refuses('NOT_CONVERSATION_MEMBER'),
  );
  await assert.rejects(send(a, '999999999999999', 'hi'), refuses('CONVERSATION_NOT_FOUND'));
  await assert.rejects(send(a, conversationId, 'x'.repeat(4001)), refuses('MESSAGE_TOO_LARGE'));
  await system.logic.friends.deleteFriend({ userId: b, friendId: a });
  await assert.rejects(send(a, conversationId, 'hi'), refuses('NOT_FRIENDS'));
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

test('who types is shown to the others that are online, and to nobody by a stranger', async () => {
  const { a, b, conversationId } = await friends();
  await system.connect(a);
  await system.connect(b);
  await system.logic.conversations.notifyTyping({ userId: a, conversationId });
  const shown = () =>
    system.events().filter(({ frame, data }) => frame === 'typing-indicator' && data.userId === a);
  await eventually(() => shown().length === 1);
  assert.deepEqual(shown()[0]?.target_user_ids, [b]);
  assert.deepEqual(shown()[0]?.data, { conversationId, userId: a });
  await assert.rejects(
    system.logic.conversations.notifyTyping({ userId: (await register()).userId, conversationId }),
    refuses('NOT_CONVERSATION_MEMBER'),
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
