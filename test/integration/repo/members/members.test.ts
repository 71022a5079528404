import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedWith } from '../../../support/refused-with.ts';
import { idOf } from '../../../support/repo/conversation-parts.ts';
import { openMembersRepo } from '../../../support/repo/members-repo.ts';

const { repo, add, remove, page, idsOf, stored } = await openMembersRepo();
type People = [string, string, string, string, string];

test('an added member has read everything before, and both kinds of events tell of it', async () => {
  const [ann, bob, cy] = (await repo.newUsers(3)) as People;
  const id = await repo.newGroup([ann, bob]);
  await repo.say(id, ann, 'before');
  await repo.list(cy);
  const { version } = await stored(id);
  assert.deepEqual(await add(ann, id, [cy, bob, cy]), { added: [cy], alreadyMembers: [bob], refused: [] });
  assert.deepEqual(await add(ann, id, [cy]), { added: [], alreadyMembers: [cy], refused: [] });
  assert.deepEqual(await stored(id), { version: version + 1, count: 3, members: 3 });
  const [seen] = (await repo.list(cy)).conversations;
  assert.deepEqual([idOf(seen), seen?.unreadCount, seen?.userMembership?.lastReadSeqId], [id, 0, 1]);

  const [, domain, ordered, ...others] = await repo.eventsOf(id);
  assert.deepEqual(
    [domain?.type, domain?.actor_id, domain?.user_ids],
    ['conversation.member.added', ann, [cy]],
  );
  assert.equal(ordered?.frame, 'member-added');
  const { conversationId, members } = (ordered?.data ?? {}) as Record<string, unknown>;
  assert.deepEqual(
    [conversationId, members],
    [
      id,
      [
        {
          id: cy,
          username: `u${cy}`,
          displayName: `User ${cy}`,
          avatarUrl: '',
          isGuest: false,
          createdAt: 1,
          role: 1,
          muted: false,
          joinedAt: seen?.userMembership?.joinedAt,
          lastReadSeqId: 0,
        },
      ],
    ],
  );
  assert.deepEqual(others, []);
});

test('a member who returns starts with nothing unread', async () => {
  const [ann, bob] = (await repo.newUsers(2)) as People;
  const id = await repo.newGroup([ann, bob]);
  await remove(bob, id, [bob]);
  for (let n = 0; n < 3; n += 1) await repo.say(id, ann);
  await add(ann, id, [bob]);
  const seen = await repo.see(bob, id);
  assert.deepEqual([seen.unreadCount, seen.userMembership?.lastReadSeqId], [0, 3]);
});

test('if one user is unknown or has blocked the actor, nobody is added', async () => {
  const { owner, eve, id } = await repo.newGroupWithRoles();
  const [blocker] = (await repo.newUsers(1)) as People;
  await repo.block(blocker, owner);
  await refusedWith(add(owner, id, [eve, blocker]), 'BLOCKED');
  await refusedWith(add(owner, id, [eve, '5']), 'USER_NOT_FOUND');
  await refusedWith(add(owner, id, [eve, 'eve']), 'USER_NOT_FOUND');
  await refusedWith(add(owner, id, []), 'INVALID_ARGUMENT');
  assert.equal((await stored(id)).count, 4);
});

test('a group never has more members than it may, however many add at once', async () => {
  const [owner, ...others] = await repo.newUsers(21);
  const id = await repo.newGroup([owner ?? ''], { maxMembers: 8 });
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, n) => add(owner ?? '', id, others.slice(2 * n, 2 * n + 2))),
  );
  const refused = results.filter((result) => result.status === 'rejected');
  assert.deepEqual(new Set(refused.map(({ reason }) => reason.code)), new Set(['GROUP_FULL']));
  assert.equal(results.length - refused.length, 3);
  assert.deepEqual(await stored(id), { version: 3, count: 7, members: 7 });
});

test('the removed lose the conversation at once and are named in its last event for them', async () => {
  const { owner, bob, id } = await repo.newGroupWithRoles();
  await repo.list(bob);
  const { version } = await stored(id);
  await remove(owner, id, [bob]);
  assert.deepEqual(await stored(id), { version: version + 1, count: 3, members: 3 });
  await refusedWith(repo.see(bob, id), 'NOT_CONVERSATION_MEMBER');
  assert.deepEqual((await repo.list(bob)).conversations, []);
  const events = (await repo.eventsOf(id)).slice(-2);
  assert.deepEqual(
    [
      events[0]?.type,
      events[0]?.user_ids,
      events[1]?.frame,
      events[1]?.data,
      events[1]?.extra_user_ids,
      events[1]?.last_seq_id,
    ],
    [
      'conversation.member.removed',
      [bob],
      'member-removed',
      { conversationId: id, userIds: [bob], by: owner },
      [bob],
      0,
    ],
  );
});

test('an added member’s read pointer is not visible to others', async () => {
  const { owner, eve, id } = await repo.newGroupWithRoles();
  await repo.say(id, owner);
  await repo.conversations.addConversationMember({ actorId: owner, conversationId: id, userIds: [eve] });
  const added = (await repo.eventsOf(id)).findLast(({ frame }) => frame === 'member-added');
  const data = added?.data as { members: { id: string; lastReadSeqId: number }[] } | undefined;
  assert.deepEqual(
    data?.members.map((member) => [member.id, member.lastReadSeqId]),
    [[eve, 0]],
  );
  assert.equal((await repo.see(eve, id)).userMembership?.lastReadSeqId, 1);
});

test('members come in pages, and only for members', async () => {
  const { owner, admin, bob, cy, eve, id } = await repo.newGroupWithRoles();
  const ids = [owner, admin, bob, cy].toSorted((a, b) => Number(a) - Number(b));
  await repo.say(id, bob);
  const first = await page(bob, id, { limit: 3 });
  assert.deepEqual([first.members.map(({ user }) => user?.id), first.hasMore], [ids.slice(0, 3), true]);
  const second = await page(bob, id, { limit: 3, offset: 3 });
  assert.deepEqual([second.members.map(({ user }) => user?.id), second.hasMore], [ids.slice(3), false]);
  const some = await page(bob, id, { memberIds: [bob, eve] });
  assert.deepEqual(
    some.members.map(({ user, role, lastReadSeqId }) => [user?.id, role, lastReadSeqId]),
    [[bob, 1, 1]],
  );
  await refusedWith(page(eve, id), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(page(eve, '12345'), 'CONVERSATION_NOT_FOUND');
  await refusedWith(page(bob, id, { limit: -1 }), 'INVALID_ARGUMENT');
});

test('many members at once fit into the events that tell of them', async () => {
  const [owner = '', ...others] = await repo.newUsers(1001);
  const id = await repo.newGroup([owner]);
  const { added } = await add(owner, id, others);
  assert.equal(added.length, 1000);
  const frames = (await repo.eventsOf(id)).filter(({ frame }) => frame === 'member-added');
  const told = frames.flatMap(({ data }) =>
    (data as { members: { id: string }[] }).members.map((one) => one.id),
  );
  assert.deepEqual(told, others);
  for (const frame of frames) assert.ok(JSON.stringify(frame).length < 500_000);
  await repo.conversations.dissolveConversation({ actorId: owner, conversationId: id });
  assert.deepEqual(await idsOf(id), []);
});

test('a change with a key happens once: repeats get the first answer, in turn or concurrently', async () => {
  const [owner, bob, cy, dan, eve] = (await Promise.all(
    Array.from({ length: 5 }, () => repo.newGuest()),
  )) as People;
  const id = await repo.newGroup([owner, bob]);
  const call = { actorId: owner, conversationId: id };
  const many = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: 5 }, work));

  const adding = { ...call, userIds: [bob, cy, dan], operationId: 'add' };
  for (const answer of await many(() => repo.conversations.addConversationMember(adding))) {
    assert.deepEqual(answer, { added: [cy, dan], alreadyMembers: [bob], refused: [] });
  }
  const removing = { ...call, userIds: [cy], operationId: 'remove' };
  for (const answer of await many(() => repo.conversations.removeConversationMember(removing))) {
    assert.deepEqual(answer, { removed: [cy] });
  }
  await remove(owner, id, [dan]);
  assert.deepEqual(await repo.conversations.addConversationMember(adding), {
    added: [cy, dan],
    alreadyMembers: [bob],
    refused: [],
  });
  assert.equal((await stored(id)).members, 2);

  const handing = { ...call, userId: bob, operationId: 'transfer' };
  for (const answer of await many(() => repo.conversations.transferOwnership(handing))) {
    assert.equal(answer.conversation?.conversation?.ownerId, bob);
  }
  const dissolving = { actorId: bob, conversationId: id, operationId: 'dissolve' };
  await many(() => repo.conversations.dissolveConversation(dissolving));

  const types = (await repo.eventsOf(id)).map((event) => event.type ?? event.frame);
  for (const type of ['conversation.member.added', 'conversation.updated', 'conversation.dissolved']) {
    assert.equal(types.filter((one) => one === type).length, 1, type);
  }
  // The key belongs to the conversation, and a refusal is not stored as its answer.
  const other = await repo.newGroup([owner]);
  const elsewhere = { actorId: owner, conversationId: other, userIds: [eve], operationId: 'add' };
  await refusedWith(
    repo.conversations.addConversationMember({ ...elsewhere, actorId: cy }),
    'NOT_CONVERSATION_MEMBER',
  );
  assert.deepEqual((await repo.conversations.addConversationMember(elsewhere)).added, [eve]);
});

test('the last member who leaves by a change with a key dissolves the group once', async () => {
  const owner = await repo.newGuest();
  const id = await repo.newGroup([owner]);
  const leaving = { actorId: owner, conversationId: id, userIds: [owner], operationId: 'leave' };
  assert.deepEqual(await repo.conversations.removeConversationMember(leaving), { removed: [owner] });
  assert.deepEqual(await repo.conversations.removeConversationMember(leaving), { removed: [owner] });
});
