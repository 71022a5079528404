import assert from 'node:assert/strict';
import { test } from 'node:test';
import { friendRequestStatus } from '../../../../lib/domain/enumerations.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { idOf } from '../../../support/repo/conversation-parts.ts';
import { hour, openErasureRepo } from '../../../support/repo/erasure-repo.ts';

const world = '1';
const { repo, people, register, close, leave, wrongAt } = await openErasureRepo();

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

test('all messages of an erased user become empty, and no other messages', async () => {
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
  // Fills the cache with the values from before the change.
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

test('an interrupted redaction continues, and the next one finds messages that were stored meanwhile', async () => {
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

test('a message stored between two pages is redacted, too, whatever its clientMsgId is', async () => {
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

test('a page of a redaction reads no more rows when others wrote many messages or much is redacted already', async () => {
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
    status: friendRequestStatus.rejected,
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
