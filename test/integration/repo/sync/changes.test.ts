import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConversationWithDetails } from '../../../../lib/gen/im_repo/v1/conversation.ts';
import { databaseTime } from '../../../../services/repo/storage/change-time.ts';
import { idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();
type Three = [string, string, string];
const newThree = async () => (await repo.newUsers(3)) as Three;
const read = repo.readTo;
const { sync } = repo;

test('an answer lists what was recalled, changed or left since', async () => {
  const [me, ann] = await newThree();
  const id = await repo.newGroup([ann, me]);
  const lost = await repo.newGroup([ann, me]);
  const messageId = await repo.say(id, ann, 'oops');
  await repo.age(id);
  await repo.age(lost);
  const { serverTime } = await sync(me);
  assert.ok(Math.abs(serverTime - Date.now()) < 5000);
  assert.deepEqual((await sync(me, { [id]: 1, [lost]: 0 }, { since: serverTime })).conversations, []);
  await repo.recall(id, ann, messageId);
  await repo.conversations.updateConversation({ actorId: ann, conversationId: id, name: 'renamed' });
  await repo.conversations.removeConversationMember({ actorId: ann, conversationId: lost, userIds: [me] });
  const answer = await sync(me, { [id]: 1, [lost]: 0, nonsense: 3 }, { since: serverTime });
  assert.deepEqual(answer.recalled, [{ conversationId: id, seqId: 1 }]);
  assert.deepEqual(answer.removed.toSorted(), [lost, 'nonsense'].toSorted());
  assert.deepEqual(
    answer.conversations.map(({ conversation, messages }) => [conversation?.conversation?.name, messages]),
    [['renamed', []]],
  );
  assert.deepEqual((await sync(me, { [id]: 1 }, { since: serverTime + 60_000 })).recalled, []);
  assert.deepEqual((await sync(me, { [id]: 1 })).recalled, []);
});

test('a change counts by its own time, independent of later messages', async () => {
  const [me, ann, bob] = await newThree();
  const id = await repo.newGroup([ann, me, bob]);
  for (let n = 1; n <= 3; n += 1) await repo.say(id, ann);
  await repo.say(id, ann);
  /** The group in the answer to a client that has all its messages, by both ways to ask; undefined if it is left out. */
  const told = async (since: number) => {
    const { conversations } = await sync(me, { [id]: 4 }, { since });
    const listed = (await repo.list(me, { updatedSince: since })).conversations;
    const { conversationIds } = await repo.conversations.getUserConversations({
      userId: me,
      updatedSince: since,
    });
    assert.deepEqual(conversationIds, listed.map(idOf));
    assert.deepEqual(
      conversations.flatMap(({ messages }) => messages),
      [],
    );
    return [conversations[0]?.conversation, listed[0]] as const;
  };

  type Seen = ConversationWithDetails | undefined;
  const changes: [string, () => Promise<unknown>, (seen: Seen) => unknown, unknown][] = [
    [
      'its name',
      () => repo.conversations.updateConversation({ actorId: ann, conversationId: id, name: 'renamed' }),
      (seen) => seen?.conversation?.name,
      'renamed',
    ],
    [
      'its members',
      () => repo.conversations.removeConversationMember({ actorId: ann, conversationId: id, userIds: [bob] }),
      (seen) => seen?.conversation?.memberCount,
      2,
    ],
    [
      'one’s role',
      () =>
        repo.conversations.updateConversationMember({
          actorId: ann,
          conversationId: id,
          userId: me,
          role: 2,
        }),
      (seen) => seen?.userMembership?.role,
      2,
    ],
    [
      'one’s mute',
      () =>
        repo.conversations.updateConversationMember({
          actorId: ann,
          conversationId: id,
          userId: me,
          muted: true,
        }),
      (seen) => seen?.userMembership?.muted,
      true,
    ],
    [
      'what one chose for it',
      () => repo.conversations.updateMemberChoices({ userId: me, conversationId: id, notifications: 'none' }),
      (seen) => seen?.userMembership?.notifications,
      'none',
    ],
    [
      'that one hid it',
      () => repo.conversations.updateMemberChoices({ userId: me, conversationId: id, hidden: true }),
      (seen) => seen?.userMembership?.hidden,
      true,
    ],
    [
      'how far one has read',
      () => read(me, id, 4),
      (seen) => [seen?.userMembership?.lastReadSeqId, seen?.unreadCount],
      [4, 0],
    ],
    [
      'its owner',
      () => repo.conversations.transferOwnership({ actorId: ann, conversationId: id, userId: me }),
      (seen) => [seen?.conversation?.ownerId, seen?.userMembership?.role],
      [me, 3],
    ],
  ];
  for (const [what, change, seen, expected] of changes) {
    await repo.age(id);
    const { serverTime } = await sync(me);
    assert.deepEqual(await told(serverTime), [undefined, undefined], what);
    await change();
    // A message that came later hides nothing.
    await repo.databases.users.execute('UPDATE messages SET created_at = ? WHERE conversation_id = ?', [
      Date.now() + 1000,
      Number(id),
    ]);
    assert.deepEqual((await told(serverTime)).map(seen), [expected, expected], what);
    assert.deepEqual(await told(serverTime + 60_000), [undefined, undefined], what);
  }
});

test('a user who leaves and returns gets the conversation, also with all messages present', async () => {
  const [me, ann] = await newThree();
  const id = await repo.newGroup([ann, me]);
  await repo.say(id, ann);
  await repo.age(id);
  const { serverTime } = await sync(me);
  const members = { conversationId: id, userIds: [me] };
  await repo.conversations.removeConversationMember({ actorId: me, ...members });
  await repo.conversations.addConversationMember({ actorId: ann, ...members });
  const { conversations } = await sync(me, { [id]: 1 }, { since: serverTime });
  assert.deepEqual(
    conversations.map((each) => [each.messages, each.conversation?.userMembership?.lastReadSeqId]),
    [[[], 1]],
  );
});

test('a change that was written before an answer and committed after it is in the next answer', async () => {
  const [me, ann] = await newThree();
  const id = await repo.newGroup([ann, me]);
  await repo.age(id);
  const { serverTime } = await repo.databases.conversations.transaction(async (tx) => {
    await tx.execute(`UPDATE conversations SET name = 'late', changed_at = ${databaseTime} WHERE id = ?`, [
      Number(id),
    ]);
    const answer = await sync(me, { [id]: 0 }, { since: 2 });
    assert.deepEqual(answer.conversations, []);
    return answer;
  });
  const { conversations } = await sync(me, { [id]: 0 }, { since: serverTime });
  assert.deepEqual(
    conversations.map((each) => each.conversation?.conversation?.name),
    ['late'],
  );
});
