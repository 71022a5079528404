import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeFromNumber } from '../../../../lib/errors.ts';
import { userSettingsKey } from '../../../../services/repo/users/user-settings.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();
type Three = [string, string, string];
const newThree = async () => (await repo.newUsers(3)) as Three;
const read = repo.readTo;

const readEvents = async (conversationId: string) =>
  (await repo.eventsOf(conversationId)).filter(({ type }) => type === 'message.read');

const unreadEverywhere = async (userId: string, conversationId: string) => {
  const one = await repo.conversations.getUnreadCount({ userId, conversationId });
  const all = await repo.conversations.batchGetUnreadCounts({ userId, conversationIds: [] });
  const some = await repo.conversations.batchGetUnreadCounts({
    userId,
    conversationIds: [conversationId, 'x'],
  });
  const seen = await repo.see(userId, conversationId);
  const listed = (await repo.list(userId)).conversations.find((each) => idOf(each) === conversationId);
  const counts = new Set([
    one.unreadCount,
    all.unreadCounts[conversationId],
    some.unreadCounts[conversationId],
    seen.unreadCount,
    listed?.unreadCount,
  ]);
  assert.equal(counts.size, 1, JSON.stringify([...counts]));
  return one.unreadCount;
};

test('a read pointer moves forward, never back and never beyond the head', async () => {
  const [ann, bob, eve] = await newThree();
  const id = await repo.newGroup([ann, bob]);
  for (let n = 0; n < 5; n += 1) await repo.say(id, ann);
  assert.deepEqual(await read(bob, id, 3), { lastReadSeqId: 3, unreadCount: 2 });
  assert.deepEqual(await read(bob, id, 1), { lastReadSeqId: 3, unreadCount: 2 });
  await refusedWith(read(bob, id, 6), 'INVALID_ARGUMENT');
  await refusedWith(read(bob, id, -1), 'INVALID_ARGUMENT');
  await refusedWith(read(eve, id, 0), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(read(eve, '12345', 0), 'CONVERSATION_NOT_FOUND');
  const events = await readEvents(id);
  assert.deepEqual(
    events.map((event) => [event.actor_id, event.seq_id, event.sender_ids, event.session_id]),
    [[bob, 3, [ann], '']],
  );
});

test('the authors of newly read messages get a read receipt', async () => {
  const [ann, bob, cy] = await newThree();
  const id = await repo.newGroup([ann, bob, cy]);
  await repo.say(id, ann);
  await repo.say(id, cy);
  await repo.say(id, cy);
  await read(bob, id, 1);
  await read(bob, id, 3);
  assert.deepEqual(
    (await readEvents(id)).map(({ sender_ids }) => sender_ids),
    [[ann], [cy]],
  );
});

test('if the reader was far behind, all members get the receipt, without a search for the authors', async () => {
  const [ann, bob, cy] = await newThree();
  const id = await repo.newGroup([ann, bob, cy]);
  await repo.save(...Array.from({ length: 1000 }, () => repo.newMessage(id, ann)));
  await repo.say(id, ann);
  await read(bob, id, 1001);
  await read(cy, id, 1000);
  assert.deepEqual(
    (await readEvents(id)).map(({ actor_id, sender_ids }) => [actor_id, sender_ids]),
    [
      [bob, [ann, cy].toSorted((a, b) => Number(a) - Number(b))],
      [cy, [ann]],
    ],
  );
});

test('above 500 members only the reader’s own sessions get read receipts', async () => {
  const [ann, bob, cy] = await newThree();
  const id = await repo.newGroup([ann, bob, cy]);
  for (let n = 0; n < 3; n += 1) await repo.say(id, ann);
  const count = (members: number) =>
    repo.databases.users.execute('UPDATE conversations SET member_count = ? WHERE id = ?', [
      members,
      Number(id),
    ]);
  await count(500);
  await read(bob, id, 1);
  await count(501);
  await read(bob, id, 2);
  assert.deepEqual(
    (await readEvents(id)).map(({ actor_id, sender_ids }) => [actor_id, sender_ids]),
    [
      [bob, [ann]],
      [bob, []],
    ],
  );
});

/** Whom the last mark was told, and how far the reader's last mark shows to each in the list of members. */
const whoKnows = async (conversationId: string, reader: string, viewers: readonly string[]) => {
  const told = (await readEvents(conversationId)).at(-1)?.sender_ids;
  const seen = await Promise.all(
    viewers.map(async (userId) => {
      const request = { userId, conversationId, offset: 0, limit: 50, memberIds: [] };
      const { members } = await repo.conversations.getConversationMembers(request);
      return members.find(({ user }) => user?.id === reader)?.lastReadSeqId;
    }),
  );
  return [told, seen];
};

test('users in a block with the reader, and former friends, get no read receipts', async () => {
  const [ann, bob, cy] = await newThree();
  const group = await repo.newGroup([ann, bob, cy]);
  for (const sender of [ann, cy, ann, cy, ann, cy]) await repo.say(group, sender);
  await read(bob, group, 2);
  assert.deepEqual(await whoKnows(group, bob, [ann, bob, cy]), [
    [ann, cy],
    [2, 2, 2],
  ]);
  await repo.block(ann, bob);
  await read(bob, group, 4);
  assert.deepEqual(await whoKnows(group, bob, [ann, bob, cy]), [[cy], [0, 4, 4]]);
  await repo.block(bob, cy);
  await read(bob, group, 6);
  assert.deepEqual(await whoKnows(group, bob, [ann, bob, cy]), [[], [0, 6, 0]]);

  for (const [sendState, expected] of [
    [0, [[ann], [1, 1]]],
    [1, [[], [0, 1]]],
    [2, [[], [0, 1]]],
  ] as const) {
    const [me] = await newThree();
    const single = await repo.newConversation([ann, me], true);
    await repo.say(single, ann);
    await repo.databases.users.execute('UPDATE conversations SET send_state = ? WHERE id = ?', [
      sendState,
      Number(single),
    ]);
    await read(me, single, 1);
    assert.deepEqual(await whoKnows(single, me, [ann, me]), expected);
  }
});

test('users who switched read receipts off send and get none, and users who left get none', async () => {
  const [ann, bob, cy] = await newThree();
  const id = await repo.newGroup([ann, bob, cy]);
  for (const sender of [ann, cy, ann, cy, ann, cy]) await repo.say(id, sender);
  const choose = (userId: string, readReceipts: boolean) =>
    repo.cache.change(async (touch) => {
      await touch([userSettingsKey(userId)]);
      await repo.databases.users.execute(
        `REPLACE INTO user_settings (user_id, group_invites, last_seen, read_receipts, locale, updated_at)
         VALUES (?, 'everyone', 'friends', ?, '', 1)`,
        [Number(userId), readReceipts],
      );
    });
  await choose(ann, false);
  await read(bob, id, 2);
  assert.deepEqual(await whoKnows(id, bob, [ann, bob, cy]), [[cy], [0, 2, 2]]);
  await choose(ann, true);
  await choose(bob, false);
  await read(bob, id, 4);
  assert.deepEqual(await whoKnows(id, bob, [ann, bob, cy]), [[], [0, 4, 0]]);
  await choose(bob, true);
  await repo.conversations.removeConversationMember({ actorId: ann, conversationId: id, userIds: [cy] });
  await read(bob, id, 6);
  assert.deepEqual(await whoKnows(id, bob, [ann, bob]), [[ann], [6, 6]]);
  const changed = await repo.conversations.updateConversationMember({
    actorId: ann,
    conversationId: id,
    userId: bob,
    muted: true,
  });
  assert.equal(changed.member?.lastReadSeqId, 6);
  await choose(bob, false);
  const hidden = await repo.conversations.updateConversationMember({
    actorId: ann,
    conversationId: id,
    userId: bob,
    muted: false,
  });
  assert.equal(hidden.member?.lastReadSeqId, 0);
});

test('a batch of read marks: each its own result, several of one pointer in their order', async () => {
  const [ann, bob, cy] = await newThree();
  const id = await repo.newGroup([ann, bob]);
  const other = await repo.newGroup([ann, cy]);
  for (let n = 0; n < 4; n += 1) await repo.say(id, ann);
  await repo.say(other, ann);
  const mark = (userId: string, conversationId: string, seqId: number, sessionId = 's1') => ({
    userId,
    conversationId,
    seqId,
    sessionId,
  });
  const { errors } = await repo.conversations.batchUpdateReadPointers({
    updates: [
      mark(bob, id, 2),
      mark(bob, id, 1),
      mark(bob, id, 4, 's2'),
      mark(cy, other, 1),
      mark(cy, id, 1),
      mark(bob, id, 5),
      mark(bob, 'x', 1),
      mark(bob, '12345', 1),
    ],
  });
  assert.deepEqual(errors.map(codeFromNumber), [
    undefined,
    undefined,
    undefined,
    undefined,
    'NOT_CONVERSATION_MEMBER',
    'INVALID_ARGUMENT',
    'CONVERSATION_NOT_FOUND',
    'CONVERSATION_NOT_FOUND',
  ]);
  assert.deepEqual(
    (await readEvents(id)).map((event) => [event.seq_id, event.session_id, event.sender_ids]),
    [
      [2, 's1', [ann]],
      [4, 's2', [ann]],
    ],
  );
  assert.equal((await repo.see(bob, id)).unreadCount, 0);
  assert.equal((await repo.see(cy, other)).unreadCount, 0);
  const repeated = await repo.conversations.batchUpdateReadPointers({ updates: [mark(bob, id, 4)] });
  assert.deepEqual(repeated.errors, [0]);
  assert.equal((await readEvents(id)).length, 2);
});

test('concurrent readers of one conversation lose no read mark', async () => {
  const users = await repo.newUsers(10);
  const [ann = ''] = users;
  const id = await repo.newGroup(users);
  for (let n = 0; n < 8; n += 1) await repo.say(id, ann);
  const marks = Array.from({ length: 8 }, (_, n) => users.slice(1).map((userId) => [userId, n + 1] as const));
  await Promise.all(
    marks.map((some, index) =>
      repo.conversations.batchUpdateReadPointers({
        updates: (index % 2 ? some : some.toReversed()).map(([userId, seqId]) => ({
          userId,
          conversationId: id,
          seqId,
          sessionId: '',
        })),
      }),
    ),
  );
  for (const userId of users.slice(1))
    assert.equal((await repo.see(userId, id)).userMembership?.lastReadSeqId, 8);
});

test('unread counts are exact in every answer, and leave out recalled messages', async () => {
  const [ann, bob] = await newThree();
  const id = await repo.newGroup([ann, bob]);
  const ids = [];
  for (let n = 0; n < 70; n += 1) ids.push(await repo.say(id, ann));
  assert.equal(await unreadEverywhere(bob, id), 70);
  await repo.recall(id, ann, ids[10] ?? 0);
  assert.equal(await unreadEverywhere(bob, id), 69);
  await read(bob, id, 20);
  assert.equal(await unreadEverywhere(bob, id), 50);
  // More than the caches keep of them.
  for (const messageId of ids.slice(1)) await repo.recall(id, ann, messageId);
  assert.equal(await unreadEverywhere(bob, id), 0);
  await repo.say(id, ann);
  assert.equal(await unreadEverywhere(bob, id), 1);
  await repo.say(id, bob);
  assert.equal(await unreadEverywhere(bob, id), 0);
  const cy = (await repo.newUsers(1))[0] ?? '';
  await repo.conversations.addConversationMember({ actorId: ann, conversationId: id, userIds: [cy] });
  await repo.databases.users.execute('UPDATE user_read_pointers SET last_read_seq_id = 0 WHERE user_id = ?', [
    Number(cy),
  ]);
  assert.equal(await unreadEverywhere(cy, id), 3);
});
