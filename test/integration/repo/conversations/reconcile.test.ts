import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

const run = (sql: string, ...values: (string | number)[]) => repo.databases.users.execute(sql, values);

async function reconcile(mend: boolean, limit = 0) {
  const wrong = [];
  let checked = 0;
  let afterConversationId = '';
  do {
    const page = await repo.conversations.reconcileConversations({ afterConversationId, limit, mend });
    wrong.push(...page.wrong);
    checked += page.checked;
    afterConversationId = page.nextAfterConversationId;
  } while (afterConversationId !== '');
  return { checked, wrong };
}

const nothing = {
  memberCount: false,
  head: false,
  lastMessage: false,
  readPointers: 0,
  unread: 0,
  mended: false,
};

/** A group of two in which three messages were said and the second was recalled. */
async function talk() {
  const [ann, bob] = (await Promise.all([repo.newGuest(), repo.newGuest()])) as [string, string];
  const id = await repo.newGroup([ann, bob]);
  const messageIds = [await repo.say(id, ann), await repo.say(id, ann), await repo.say(id, ann)];
  await repo.recall(id, ann, messageIds[1] ?? 0);
  return { ann, bob, id, messageIds };
}

/** What the list shows of a conversation to a member, through the caches. */
async function shown(userId: string, id: string) {
  const { conversations } = await repo.list(userId);
  const one = conversations.find(({ conversation }) => conversation?.id === id);
  return [one?.conversation?.memberCount, one?.conversation?.lastSeqId, one?.unreadCount];
}

test('a correct conversation has no findings', async () => {
  const { ann, bob, id } = await talk();
  await repo.conversations.updateReadPointer({ userId: bob, conversationId: id, seqId: 3 });
  await repo.conversations.removeConversationMember({ actorId: ann, conversationId: id, userIds: [bob] });
  await repo.conversations.dissolveConversation({ actorId: ann, conversationId: id });
  await talk();
  assert.deepEqual((await reconcile(true, 1)).wrong, []);
});

test('a dry run reports everything and changes nothing; a repair corrects it, also in the caches', async () => {
  const { ann, bob, id, messageIds } = await talk();
  await run('UPDATE conversations SET member_count = 7, last_message_id = 1 WHERE id = ?', id);
  await run(
    'UPDATE conversation_heads SET last_seq_id = 2, last_message_id = ? WHERE conversation_id = ?',
    messageIds[1] ?? 0,
    id,
  );
  await run(
    'UPDATE user_read_pointers SET last_read_seq_id = 9 WHERE user_id = ? AND conversation_id = ?',
    bob,
    id,
  );
  await run('DELETE FROM message_recalls WHERE conversation_id = ?', id);
  await run(
    'INSERT INTO message_recalls (conversation_id, seq_id, message_id, recalled_by, recalled_at) VALUES (?, 3, ?, ?, 1)',
    id,
    messageIds[2] ?? 0,
    ann,
  );
  const before = await shown(bob, id);
  const all = {
    conversationId: id,
    memberCount: true,
    head: true,
    lastMessage: true,
    readPointers: 1,
    unread: 2,
  };

  assert.deepEqual((await reconcile(false)).wrong, [{ ...all, mended: false }]);
  assert.deepEqual((await reconcile(false)).wrong, [{ ...all, mended: false }]);
  assert.deepEqual(await shown(bob, id), before);

  assert.deepEqual((await reconcile(true)).wrong, [{ ...all, mended: true }]);
  assert.deepEqual((await reconcile(true)).wrong, []);
  assert.deepEqual(await shown(bob, id), [2, 3, 0]);
  const next = await repo.say(id, ann);
  assert.ok(next > 0);
  // Both recalled messages stay recalled, and count as unread for nobody.
  assert.deepEqual(await shown(bob, id), [2, 4, 1]);
});

test('recalls that were counted wrong are counted again', async () => {
  const { bob, id } = await talk();
  await run('UPDATE message_recall_counts SET recalls = 3 WHERE conversation_id = ?', id);
  await run('INSERT INTO message_recall_counts (conversation_id, block, recalls) VALUES (?, 7, 1)', id);
  const wrong = { ...nothing, conversationId: id, unread: 2 };
  assert.deepEqual((await reconcile(false)).wrong, [wrong]);
  assert.deepEqual((await reconcile(true)).wrong, [{ ...wrong, mended: true }]);
  assert.deepEqual((await reconcile(true)).wrong, []);
  assert.deepEqual(await shown(bob, id), [2, 3, 2]);
});

test('a head above the messages is reported and not lowered, because no seq id may be assigned twice', async () => {
  const { ann, id } = await talk();
  await run('UPDATE conversation_heads SET last_seq_id = 8 WHERE conversation_id = ?', id);
  const { wrong } = await reconcile(true);
  assert.deepEqual(wrong, [{ ...nothing, conversationId: id, head: true }]);
  await repo.say(id, ann);
  const { members } = await repo.conversations.getConversationMembers({
    userId: ann,
    conversationId: id,
    limit: 1,
    offset: 0,
    memberIds: [ann],
  });
  assert.equal(members[0]?.lastReadSeqId, 9);
});

test('concurrent joins, messages and leaves cause no false finding', async () => {
  const { ann, id } = await talk();
  let busy = true;
  const working = (async () => {
    while (busy) {
      const guest = await repo.newGuest();
      await repo.conversations.addConversationMember({ actorId: ann, conversationId: id, userIds: [guest] });
      await repo.say(id, guest);
      await repo.conversations.removeConversationMember({
        actorId: guest,
        conversationId: id,
        userIds: [guest],
      });
    }
  })();
  const known = new Set((await reconcile(false)).wrong.map(({ conversationId }) => conversationId));
  for (let round = 0; round < 20; round += 1) {
    const { wrong } = await reconcile(true);
    assert.deepEqual(
      wrong.filter(({ conversationId }) => !known.has(conversationId)),
      [],
    );
  }
  busy = false;
  await working;
  assert.ok(!known.has(id) && !known.has('1'));
});
