import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createIdleGuests } from '../../../../services/repo/accounts/idle-guests.ts';
import { requestStatus } from '../../../../services/repo/friends/friendship-requests.ts';
import { credentialOf } from '../../../../services/repo/sessions/user-sessions.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';
import { createUserParts } from '../../../support/repo/user-parts.ts';

const world = '1';
const password = 'correct horse battery';
const hour = 3_600_000;

const { repo } = await openConversationRepo();
const people = createUserParts(repo, repo.presence);
const idleGuests = createIdleGuests(repo);

let lastName = 0;

async function register(): Promise<{ id: string; username: string }> {
  const username = `somebody-${++lastName}`;
  const { user } = await people.createUser({ username, password, avatarUrl: 'a.png', isGuest: false });
  return { id: user?.id ?? '', username };
}

async function signIn(userId: string): Promise<string> {
  const sessionId = randomUUID();
  const [row] = await repo.databases.users.query<{ password_hash: string | null }>(
    'SELECT password_hash FROM users WHERE id = ?',
    [Number(userId)],
  );
  await people.createSession({
    userId,
    sessionId,
    credential: credentialOf(row?.password_hash ?? null),
    expiresAt: Date.now() + hour,
    accessExpiresAt: Date.now() + hour,
    userAgent: 'a browser',
    address: '192.0.2.1',
  });
  return sessionId;
}

const close = (userId: string, idleGuestBefore = 0) => people.closeAccount({ userId, idleGuestBefore });
const leave = (userId: string, limit = 0) => repo.conversations.leaveConversations({ userId, limit });
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

test('a closed account is signed out, found by nobody, and its name is nobody’s for 30 days', async () => {
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

test('that an account was erased is told to others, in the transaction that closes it', async () => {
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

test('closing it again changes nothing, but signs out who slipped in meanwhile', async () => {
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

test('messages stay and show a deleted user, also where the sender was cached', async () => {
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

const redactAll = async (userId: string, limit: number) => {
  let [redacted, calls, cursor] = [0, 0, ''];
  do {
    const page = await repo.messages.redactMessages({ userId, cursor, limit });
    redacted += page.redacted;
    cursor = page.nextCursor;
    calls += 1;
  } while (cursor !== '');
  return { redacted, calls };
};

const rowsOf = (userId: string) =>
  repo.databases.users.query<{
    conversation_id: number;
    content: string;
    extra: string | null;
    deleted: number;
  }>(
    'SELECT conversation_id, content, extra, deleted FROM messages WHERE sender_id = ? ORDER BY conversation_id, seq_id',
    [Number(userId)],
  );

test('everything that an erased user wrote becomes empty, wherever it was, and nothing else does', async () => {
  const [ann, bob] = [(await register()).id, (await register()).id];
  const stayed = await repo.newGroup([bob, ann]);
  const left = await repo.newGroup([bob, ann]);
  const dissolved = await repo.newGroup([bob, ann]);
  const quiet = await repo.newGroup([bob, ann]);
  await repo.befriend(ann, bob);
  const single = idOf((await repo.openSingle(ann, bob)).conversation);
  const places = [stayed, left, dissolved, single, world];
  for (const id of places) for (let times = 0; times < 3; times += 1) await repo.say(id, ann, 'from ann');
  await repo.say(stayed, bob, 'from bob');
  const [recalled = 0] = (
    await repo.databases.users.query<{ id: number }>(
      'SELECT id FROM messages WHERE conversation_id = ? ORDER BY seq_id LIMIT 1',
      [Number(stayed)],
    )
  ).map(({ id }) => id);
  await repo.messages.deleteMessage({
    actorId: ann,
    conversationId: stayed,
    messageId: recalled,
    recallWindowMs: hour,
  });
  await repo.conversations.removeConversationMember({ actorId: ann, conversationId: left, userIds: [ann] });
  await repo.conversations.dissolveConversation({ actorId: bob, conversationId: dissolved });
  await refusedWith(repo.messages.redactMessages({ userId: ann, cursor: '', limit: 0 }), 'PERMISSION_DENIED');
  // So that what is cached is what was true before.
  const listed = async () =>
    (await repo.list(bob)).conversations.map(({ conversation, lastMessage, unreadCount }) => [
      conversation?.id,
      lastMessage?.content,
      unreadCount,
    ]);
  assert.ok((await listed()).some(([, content]) => content === 'from ann'));
  const page = { userId: bob, conversationId: stayed, limit: 10 };
  const before = await repo.messages.getMessages(page);

  await close(ann);
  while ((await leave(ann)).more);
  const events = (await repo.events()).length;
  const { redacted, calls } = await redactAll(ann, 2);
  assert.equal(redacted, 14);
  assert.ok(calls >= 7, `${calls} calls`);
  assert.ok(
    (await rowsOf(ann)).every(({ content, extra, deleted }) => content + extra + deleted === 'null1'),
  );
  assert.equal((await rowsOf(ann)).length, 15);
  assert.deepEqual(
    (await rowsOf(bob)).map(({ content }) => content),
    ['from bob'],
  );
  assert.equal((await repo.events()).length, events, 'nobody is told by an event');
  assert.deepEqual(await redactAll(ann, 2), { redacted: 0, calls: 1 });

  const after = await repo.messages.getMessages({ ...page, knownTag: before.tag });
  assert.equal(after.unchanged, false);
  assert.deepEqual(
    after.messages.map(({ seqId, content, deleted }) => [seqId, content, deleted]),
    [
      [1, '', true],
      [2, '', true],
      [3, '', true],
      [4, 'from bob', false],
    ],
  );
  const now = await listed();
  for (const [id, content, unread] of now) {
    if (id === single || id === left) assert.deepEqual([content, unread], ['', 0]);
  }
  assert.deepEqual(await wrongAt([stayed, left, single, quiet, world]), []);
  const pointers = 'SELECT 1 FROM user_read_pointers WHERE user_id = ?';
  assert.deepEqual(await repo.databases.users.query(pointers, [Number(ann)]), []);
});

test('a redaction that died goes on, and what slipped in meanwhile is found by the next one', async () => {
  const [ann, bob] = [(await register()).id, (await register()).id];
  const id = await repo.newGroup([bob, ann]);
  for (let times = 0; times < 5; times += 1) await repo.say(id, ann, 'from ann');
  await close(ann);
  assert.equal((await repo.messages.redactMessages({ userId: ann, cursor: '', limit: 2 })).redacted, 2);
  assert.deepEqual((await redactAll(ann, 2)).redacted, 3);
  // A save that had begun before the account left.
  await repo.say(id, ann, 'late');
  assert.deepEqual((await redactAll(ann, 2)).redacted, 1);
  assert.ok((await rowsOf(ann)).every(({ content }) => content === ''));
  for (const cursor of ['x', '5', '5:0', '5:00', ':', "1:'", '5:00:x', '5:0:1']) {
    await refusedWith(repo.messages.redactMessages({ userId: ann, cursor, limit: 0 }), 'INVALID_ARGUMENT');
  }
});

test('what is stored between two pages is emptied too, whatever its client chose as its id', async () => {
  const [ann, bob] = [(await register()).id, (await register()).id];
  const id = await repo.newGroup([bob, ann]);
  const say = (clientMsgId: string) => repo.save(repo.newMessage(id, ann, { clientMsgId }));
  for (const clientMsgId of ['m1', 'm2', 'm3']) await say(clientMsgId);
  await close(ann);
  const first = await repo.messages.redactMessages({ userId: ann, cursor: '', limit: 2 });
  await say('a');
  await say('z');
  let [redacted, cursor] = [first.redacted, first.nextCursor];
  while (cursor !== '') {
    const page = await repo.messages.redactMessages({ userId: ann, cursor, limit: 2 });
    redacted += page.redacted;
    cursor = page.nextCursor;
  }
  assert.equal(redacted, 5);
  assert.ok((await rowsOf(ann)).every(({ content, deleted }) => content === '' && deleted === 1));
});

test('a page of a redaction reads no more, whoever else wrote and however much is done', async () => {
  const [ann, bob] = [(await register()).id, (await register()).id];
  const id = await repo.newGroup([bob, ann]);
  const rows = Array.from({ length: 3000 }, (_, index) => [
    Number(id),
    index + 1,
    5_000_000_000_000 + index,
    Number(index % 10 === 0 ? ann : bob),
    1,
    'text',
    Buffer.from(`m${index}`),
    -1,
    -1,
    index,
  ]);
  await repo.databases.users.execute(
    `INSERT INTO messages (conversation_id, seq_id, id, sender_id, message_type, content, client_msg_id,
       source_partition, source_offset, created_at) VALUES ?`,
    [rows],
  );
  await repo.databases.users.execute(
    'UPDATE conversation_heads SET last_seq_id = 3000 WHERE conversation_id = ?',
    [Number(id)],
  );
  await close(ann);
  // Each server has words of its own for a plan; both name the index, and a sort where there is one.
  const plan = JSON.stringify(
    await repo.databases.users.query(
      `EXPLAIN FORMAT=JSON SELECT seq_id FROM messages FORCE INDEX (messages_client_msg_id)
       WHERE conversation_id = ${id} AND sender_id = ${ann} AND client_msg_id > X'' ORDER BY client_msg_id LIMIT 200`,
    ),
  );
  assert.match(plan, /messages_client_msg_id/);
  assert.doesNotMatch(plan, /filesort|"Sort/);
  assert.deepEqual(await redactAll(ann, 100), { redacted: 300, calls: 4 });
});

test('the texts of friend requests go, of those to the erased user and from it, settled ones too', async () => {
  const [ann, bob, cy, dan] = await Promise.all([register(), register(), register(), register()]);
  const ask = (requesterId: string, targetId: string) =>
    people.createFriendRequest({ requesterId, targetId, message: 'a text', ttlMs: hour });
  const { request } = await ask(ann.id, bob.id);
  await people.updateFriendRequest({
    requestId: request?.id ?? '',
    actorId: bob.id,
    status: requestStatus.rejected,
  });
  await ask(cy.id, ann.id);
  await ask(bob.id, dan.id);
  await refusedWith(people.eraseRequestTexts({ userId: ann.id, limit: 1 }), 'PERMISSION_DENIED');
  await close(ann.id);
  assert.deepEqual(await people.eraseRequestTexts({ userId: ann.id, limit: 1 }), { erased: 1, more: true });
  assert.deepEqual(await people.eraseRequestTexts({ userId: ann.id, limit: 1 }), { erased: 1, more: false });
  const texts = async (userId: string) =>
    (
      await people.listFriendRequests({ userId, outgoing: true, status: undefined, limit: 9, offset: 0 })
    ).requests.map(({ message }) => message);
  assert.deepEqual(await Promise.all([ann, bob, cy].map(({ id }) => texts(id))), [[''], ['a text'], ['']]);
});

test('nothing is taken from an account that is open', async () => {
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
  assert.equal(await statusOf(outgoing.request?.id), requestStatus.withdrawn);
  assert.equal(await statusOf(incoming.request?.id), requestStatus.rejected);

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

test('groups go to the oldest admin, else to the oldest member, and end when nobody is left', async () => {
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
  // So that what is cached is what was true before.
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

/** What reconciliation finds in these conversations. */
async function wrongAt(ids: string[]) {
  const { wrong } = await repo.conversations.reconcileConversations({
    afterConversationId: '',
    limit: 1000,
    mend: false,
  });
  return wrong.filter(({ conversationId }) => ids.includes(conversationId));
}

async function guestLastSeen(at: number): Promise<string> {
  const id = await repo.newGuest();
  await repo.databases.users.execute('UPDATE users SET last_active_at = ? WHERE id = ?', [at, Number(id)]);
  return id;
}

test('guests whom nobody has seen for long are found, the longest idle first; others are not', async () => {
  const now = Date.now();
  await repo.databases.users.execute('UPDATE users SET last_active_at = ? WHERE is_guest', [now]);
  const idle = [
    await guestLastSeen(5),
    await guestLastSeen(7),
    await guestLastSeen(7),
    await guestLastSeen(9),
  ];
  const online = await guestLastSeen(5);
  const renewed = await guestLastSeen(5);
  const recent = await guestLastSeen(now);
  const registered = await register();
  await repo.databases.users.execute('UPDATE users SET last_active_at = 5 WHERE id = ?', [
    Number(registered.id),
  ]);
  await signIn(renewed);
  const gateway = { gatewayId: 'g', bootId: randomUUID(), pushAddress: '' };
  await repo.presence.renewGateway({ gateway, synced: true });
  await repo.presence.setUserOnline({
    session: { sessionId: randomUUID(), userId: online, connectedAt: now, lastActiveAt: now },
    gatewayId: gateway.gatewayId,
    bootId: gateway.bootId,
  });

  const found: string[] = [];
  let cursor = '';
  do {
    const page = await idleGuests.listIdleGuests({ idleBefore: now - hour, cursor, limit: 2 });
    found.push(...page.userIds);
    cursor = page.nextCursor;
  } while (cursor !== '');
  assert.deepEqual(found, idle);
  assert.ok(!found.includes(recent));

  await refusedWith(
    idleGuests.listIdleGuests({ idleBefore: now, cursor: 'x', limit: 2 }),
    'INVALID_ARGUMENT',
  );
});

test('a guest who came back, or registered, since it was found is not closed', async () => {
  const before = Date.now() - hour;
  const [back, signedIn, upgraded, gone] = await Promise.all([5, 5, 5, 5].map(guestLastSeen));
  assert.ok(back && signedIn && upgraded && gone);
  await repo.databases.users.execute('UPDATE users SET last_active_at = ? WHERE id = ?', [
    Date.now(),
    Number(back),
  ]);
  await signIn(signedIn);
  await people.upgradeGuest({ userId: upgraded, username: `upgraded-${++lastName}`, password });
  for (const userId of [back, signedIn, upgraded]) {
    assert.deepEqual(await close(userId, before), { closed: false });
    assert.equal((await people.getUser({ userId })).user?.id, userId);
  }
  assert.deepEqual(await close(gone, before), { closed: true });
  assert.deepEqual(await close(gone, before), { closed: true });
});

test('while presence is unknown no guest counts as gone', async () => {
  await guestLastSeen(3);
  const lost = createIdleGuests({
    databases: repo.databases,
    presence: repo.presence,
    redis: { isUp: () => false },
  });
  await refusedWith(lost.listIdleGuests({ idleBefore: Date.now(), cursor: '', limit: 0 }), 'UNAVAILABLE');
});
