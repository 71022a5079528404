import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conversation } from '../../clients/sdk/rest.ts';
import { personalFields } from '../../lib/wire/conversation.ts';
import {
  befriend,
  chat,
  type Data,
  gateway2Url,
  newFriends,
  newGroup,
  newPeople,
  newPerson,
  type Person,
  refused,
  uniqueName,
} from '../support/people/people.ts';

type Three = [Person, Person, Person];
const get = async (person: Person, id: string) =>
  (await person.rest.get<{ conversation: Conversation }>(`/conversations/${id}`)).conversation;
const members = async (person: Person, id: string) =>
  (await person.rest.get<{ members: Data[] }>(`/conversations/${id}/members`)).members;

test('creating a group sends an event to every first member, with the member’s own role', async () => {
  const [owner, bob, cy] = (await newPeople(3)) as Three;
  const sockets = [await chat(owner), await chat(bob, gateway2Url), await chat(cy)];
  const { conversation } = await owner.rest.post<{ conversation: Conversation }>('/conversations', {
    type: 2,
    name: 'Friends of tea ☕',
    memberIds: [bob.id, cy.id],
    description: 'all about tea',
  });
  assert.deepEqual(
    [
      conversation.type,
      conversation.name,
      conversation.description,
      conversation.ownerId,
      conversation.memberCount,
      conversation.role,
    ],
    [2, 'Friends of tea ☕', 'all about tea', owner.id, 3, 3],
  );
  assert.deepEqual(conversation.settings, { inviteBy: 'admins', muteAll: false, maxMembers: 2000 });
  for (const [index, socket] of sockets.entries()) {
    const created = await socket.expect('conversation-created');
    assert.deepEqual(
      [created.conversation.id, created.conversation.role],
      [conversation.id, index === 0 ? 3 : 1],
    );
    await socket.close();
  }
  assert.deepEqual(
    (await members(bob, conversation.id)).map(({ id, role }) => [id, role]).sort(),
    [
      [owner.id, 3],
      [bob.id, 1],
      [cy.id, 1],
    ].sort(),
  );
});

test('a refused creation leaves nothing behind', async () => {
  const [owner, bob, cy] = (await newPeople(3)) as Three;
  await cy.rest.put(`/blocks/${owner.id}`);
  const create = (body: Record<string, unknown>) =>
    owner.rest.post('/conversations', { type: 2, name: 'g', ...body });
  await refused(create({ memberIds: [bob.id, '1'] }), 404, 'USER_NOT_FOUND');
  await refused(create({ memberIds: [bob.id, cy.id] }), 403, 'BLOCKED');
  await refused(create({ memberIds: [bob.id], name: '' }), 400, 'INVALID_ARGUMENT');
  await refused(create({ memberIds: 'bob' }), 400, 'INVALID_ARGUMENT');
  await refused(create({ memberIds: Array.from({ length: 1001 }, () => bob.id) }), 400, 'INVALID_ARGUMENT');
  await refused(create({ type: 7, memberIds: [] }), 400, 'INVALID_ARGUMENT');
  const { conversations } = await bob.rest.get<{ conversations: Conversation[] }>('/conversations');
  assert.deepEqual(
    conversations.map(({ type }) => type),
    [3],
  );
});

test('the single conversation is the same every time, and only for friends', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const eve = await newPerson();
  const open = (person: Person, id: string) =>
    person.rest.post<{ conversation: Conversation }>('/conversations', { type: 1, memberIds: [id] });
  assert.equal((await open(ann, bob.id)).conversation.id, conversationId);
  assert.equal((await open(bob, ann.id)).conversation.id, conversationId);
  await refused(open(eve, ann.id), 403, 'NOT_FRIENDS');
  await refused(open(ann, ann.id), 400, 'INVALID_ARGUMENT');
  await refused(open(ann, '1'), 404, 'USER_NOT_FOUND');
});

test('the same Idempotency-Key makes one group, another body with it is refused', async () => {
  const [owner, bob] = (await newPeople(2)) as [Person, Person];
  const idempotencyKey = uniqueName('key');
  const create = (name: string) =>
    owner.rest.post<{ conversation: Conversation }>(
      '/conversations',
      { type: 2, name, memberIds: [bob.id] },
      { idempotencyKey },
    );
  const answers = await Promise.all(Array.from({ length: 20 }, () => create('once')));
  assert.equal(new Set(answers.map(({ conversation }) => conversation.id)).size, 1);
  await refused(create('twice'), 409, 'IDEMPOTENCY_MISMATCH');
  const { conversations } = await bob.rest.get<{ conversations: Conversation[] }>('/conversations');
  assert.equal(conversations.filter(({ type }) => type === 2).length, 1);
});

test('an added member sees the whole history and has nothing unread, and all members get an event', async () => {
  const [owner, bob, cy] = (await newPeople(3)) as Three;
  const id = await newGroup(owner, [bob]);
  const [ownerChat, cyChat] = [await chat(owner), await chat(cy, gateway2Url)];
  await ownerChat.say(id, 'before');
  await refused(
    bob.rest.post(`/conversations/${id}/members`, { userIds: [cy.id] }),
    403,
    'PERMISSION_DENIED',
  );
  const answer = await owner.rest.post(`/conversations/${id}/members`, { userIds: [cy.id, bob.id] });
  assert.deepEqual(answer, { added: [cy.id], alreadyMembers: [bob.id] });
  for (const socket of [ownerChat, cyChat]) {
    const added = await socket.expect('member-added');
    assert.equal(added.conversationId, id);
    assert.deepEqual(
      added.members.map((member: Data) => [member.id, member.role]),
      [[cy.id, 1]],
    );
  }
  const seen = await get(cy, id);
  assert.deepEqual([seen.unreadCount, seen.lastReadSeqId, seen.lastSeqId, seen.memberCount], [0, 1, 1, 3]);
  assert.equal((await cy.rest.messagesAfter(id, 0)).messages[0]?.content, 'before');
  await ownerChat.say(id, 'after');
  assert.equal((await cyChat.expect('new-message')).content, 'after');
  assert.equal((await get(cy, id)).unreadCount, 1);
  await Promise.all([ownerChat.close(), cyChat.close()]);
});

test('a user added to a busy group gets the event of the addition before the first message', async () => {
  const [owner, talker, ...newcomers] = (await newPeople(12)) as [Person, Person, ...Person[]];
  const id = await newGroup(owner, [talker]);
  const [talking, ...sockets] = await Promise.all([talker, ...newcomers].map((person) => chat(person)));
  let done = false;
  const talk = (async () => {
    while (!done) await Promise.all([1, 2, 3].map(() => talking?.say(id, 'much talk')));
  })();
  for (const { id: userId } of newcomers) {
    await owner.rest.post(`/conversations/${id}/members`, { userIds: [userId] });
  }
  for (const socket of sockets) await socket.expect('new-message');
  done = true;
  await talk;
  for (const [at, socket] of sockets.entries()) {
    const first: Data = socket.frames.find(({ data }) => data?.conversationId === id);
    assert.deepEqual(
      [first?.type, first?.data.members?.map((member: Data) => member.id)],
      ['member-added', [newcomers[at]?.id]],
    );
    const seqIds = socket.all('new-message').map(({ seqId }) => seqId);
    assert.deepEqual(
      seqIds,
      seqIds.map((_, n) => seqIds[0] + n),
    );
  }
  await Promise.all([talking, ...sockets].map((socket) => socket?.close()));
});

test('a removed member gets its own removal last and nothing after it', async () => {
  const [owner, bob, cy] = (await newPeople(3)) as Three;
  const id = await newGroup(owner, [bob, cy]);
  const [ownerChat, bobChat, cyChat] = [await chat(owner), await chat(bob), await chat(cy, gateway2Url)];
  const before = Array.from({ length: 30 }, (_, n) => ownerChat.say(id, `b${n}`));
  await before.at(-1);
  await refused(bob.rest.delete(`/conversations/${id}/members/${cy.id}`), 403, 'PERMISSION_DENIED');
  const [, ...after] = [
    await owner.rest.delete(`/conversations/${id}/members/${cy.id}`),
    ...(await Promise.all(Array.from({ length: 10 }, (_, n) => ownerChat.say(id, `a${n}`)))),
  ];
  const removed = { conversationId: id, userIds: [cy.id], by: owner.id };
  for (const socket of [ownerChat, bobChat, cyChat])
    assert.deepEqual(await socket.expect('member-removed'), removed);
  await bobChat.expect('new-message', (data) => data.seqId === (after.at(-1) as Data).seqId);
  await cyChat.settled();
  const lastOfCy = cyChat.frames.filter(({ type }) => type !== 'pong').at(-1);
  assert.equal(lastOfCy?.type, 'member-removed');
  assert.equal(cyChat.all('new-message').length, 30);
  await refused(cy.rest.messagesAfter(id, 0), 403, 'NOT_CONVERSATION_MEMBER');
  await assert.rejects(cyChat.say(id, 'hello?'), { message: 'NOT_CONVERSATION_MEMBER' });
  await Promise.all([ownerChat.close(), bobChat.close(), cyChat.close()]);
});

test('roles: owners make admins, admins remove members, nobody removes a higher one', async () => {
  const [owner, admin, member] = (await newPeople(3)) as Three;
  const id = await newGroup(owner, [admin, member]);
  const path = (person: Person) => `/conversations/${id}/members/${person.id}`;
  await refused(admin.rest.patch(path(member), { role: 2 }), 403, 'PERMISSION_DENIED');
  const changed = await owner.rest.patch<{ member: Data }>(path(admin), { role: 2 });
  assert.equal(changed.member.role, 2);
  await refused(owner.rest.patch(path(admin), { role: 3 }), 400, 'INVALID_ARGUMENT');
  await refused(admin.rest.delete(path(owner)), 403, 'PERMISSION_DENIED');
  await admin.rest.patch(path(member), { muted: true });
  await refused(
    member.rest.post(`/conversations/${id}/messages`, { clientMsgId: 'm', content: 'x' }),
    403,
    'MEMBER_MUTED',
  );
  await admin.rest.patch(path(member), { muted: false });
  await member.rest.post(`/conversations/${id}/messages`, { clientMsgId: 'm', content: 'x' });
  await admin.rest.delete(path(member));
  assert.equal((await get(owner, id)).memberCount, 2);
});

test('a changed role or mute is sent to all sessions of that member, and to nobody else', async () => {
  const [owner, bob, cy] = (await newPeople(3)) as [Person, Person, Person];
  const id = await newGroup(owner, [bob, cy]);
  const [phone, desktop, other] = [await chat(bob), await chat(bob, gateway2Url), await chat(cy)];
  await owner.rest.patch(`/conversations/${id}/members/${bob.id}`, { role: 2 });
  const isAdmin = ({ conversation }: Data) => conversation.id === id && conversation.role === 2;
  for (const session of [phone, desktop]) {
    const { conversation } = await session.expect('conversation-updated', isAdmin);
    assert.deepEqual(
      personalFields.filter((field) => !(field in conversation)),
      [],
    );
  }
  await owner.rest.patch(`/conversations/${id}/members/${bob.id}`, { muted: true });
  for (const session of [phone, desktop]) {
    await session.expect('conversation-updated', ({ conversation }) => conversation.muted === true);
  }
  // A change of the group itself goes to all of them, without what differs by member.
  await owner.rest.patch(`/conversations/${id}`, { name: 'renamed' });
  for (const session of [phone, desktop, other]) {
    const { conversation } = await session.expect(
      'conversation-updated',
      (data) => data.conversation.name === 'renamed',
    );
    assert.deepEqual(
      personalFields.filter((field) => field in conversation),
      [],
    );
  }
  assert.equal(other.all('conversation-updated').length, 1);
  await Promise.all([phone, desktop, other].map((session) => session.close()));
});

test('leaving, handing over and dissolving', async () => {
  const [owner, bob, cy] = (await newPeople(3)) as Three;
  const id = await newGroup(owner, [bob, cy]);
  await cy.rest.delete(`/conversations/${id}/members/${cy.id}`);
  await refused(get(cy, id), 403, 'NOT_CONVERSATION_MEMBER');
  await refused(bob.rest.put(`/conversations/${id}/owner`, { userId: bob.id }), 403, 'PERMISSION_DENIED');
  const { conversation } = await owner.rest.put<{ conversation: Conversation }>(
    `/conversations/${id}/owner`,
    { userId: bob.id },
  );
  assert.deepEqual([conversation.ownerId, conversation.role !== 3], [bob.id, true]);
  const bobChat = await chat(bob);
  await refused(owner.rest.delete(`/conversations/${id}`), 403, 'PERMISSION_DENIED');
  await bob.rest.delete(`/conversations/${id}`);
  assert.deepEqual(await bobChat.expect('conversation-dissolved'), { conversationId: id });
  await refused(get(bob, id), 404, 'CONVERSATION_NOT_FOUND');
  await bobChat.close();
});

test('owner and admins change name and settings; mute-all silences plain members; members may invite when allowed', async () => {
  const [owner, bob, cy] = (await newPeople(3)) as Three;
  const id = await newGroup(owner, [bob]);
  const bobChat = await chat(bob);
  await refused(bob.rest.patch(`/conversations/${id}`, { name: 'mine' }), 403, 'PERMISSION_DENIED');
  const { conversation } = await owner.rest.patch<{ conversation: Conversation }>(`/conversations/${id}`, {
    name: 'renamed',
    announcement: 'be nice',
    settings: { muteAll: true, inviteBy: 'members' },
  });
  assert.deepEqual(
    [conversation.name, conversation.announcement, conversation.settings.muteAll],
    ['renamed', 'be nice', true],
  );
  assert.equal((await bobChat.expect('conversation-updated')).conversation.name, 'renamed');
  await assert.rejects(bobChat.say(id, 'x'), { message: 'MEMBER_MUTED' });
  assert.deepEqual(await bob.rest.post(`/conversations/${id}/members`, { userIds: [cy.id] }), {
    added: [cy.id],
    alreadyMembers: [],
  });
  await bobChat.close();
});

test('a group at its limit accepts no more members', async () => {
  const [owner, bob, cy] = (await newPeople(3)) as Three;
  const id = await newGroup(owner, [bob]);
  await owner.rest.patch(`/conversations/${id}`, { settings: { maxMembers: 2 } });
  await refused(owner.rest.post(`/conversations/${id}/members`, { userIds: [cy.id] }), 409, 'GROUP_FULL');
});

test('the conversation list is newest first, paged, and filtered by time', async () => {
  const [owner, bob] = (await newPeople(2)) as [Person, Person];
  const ids = [];
  for (const name of ['one', 'two', 'three']) ids.push(await newGroup(owner, [bob], name));
  const single = await befriend(owner, bob);
  const list = async (query = '') =>
    (
      await owner.rest.get<{ conversations: Conversation[]; hasMore: boolean }>(`/conversations?${query}`)
    ).conversations.filter(({ type }) => type !== 3);
  assert.deepEqual(
    (await list()).map(({ id }) => id),
    [single, ...ids.toReversed()],
  );
  await bob.rest.post(`/conversations/${ids[0]}/messages`, { clientMsgId: 'x', content: 'up' });
  const [top] = await list();
  assert.deepEqual(
    [top?.id, top?.unreadCount, top?.lastMessage?.content, top?.lastMessage?.sender.id],
    [ids[0], 1, 'up', bob.id],
  );
  const page = await owner.rest.get<{ conversations: Conversation[]; hasMore: boolean }>(
    '/conversations?limit=2',
  );
  assert.deepEqual([page.conversations.length, page.hasMore], [2, true]);
  assert.deepEqual(
    (await list(`updatedSince=${top?.updatedAt}`)).map(({ id }) => id),
    [ids[0]],
  );
});
