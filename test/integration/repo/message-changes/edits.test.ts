import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EditMessageRequest, Message } from '../../../../lib/gen/im_repo/v1/message.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

type Edit = Partial<Pick<EditMessageRequest, 'content' | 'metadata' | 'editWindowMs'>>;

async function edit(conversationId: string, actorId: string, messageId: number, fields: Edit) {
  const request = { conversationId, actorId, messageId, editWindowMs: 60_000, ...fields };
  const { message } = await repo.messages.editMessage(request);
  return message;
}

async function messageOf(userId: string, conversationId: string, messageId: number): Promise<Message> {
  const { message } = await repo.messages.getMessage({ userId, conversationId, messageId });
  if (!message) throw new Error('there is no message');
  return message;
}

/** The frames of changes of a conversation's messages, in the order in which members get them. */
async function changesOf(conversationId: string) {
  const frames = await repo.eventsOf(conversationId);
  return frames.flatMap(({ frame, data }) =>
    frame === 'message-changed' ? [data as { changeSeq: number; message: Message }] : [],
  );
}

test('an edit keeps what it does not name, is numbered, and is told with what the message is now', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  const metadata = JSON.stringify({ color: 'blue' });
  const reply = repo.newMessage(id, ann, { content: 'first' });
  const [first] = await repo.save(reply);
  const message = repo.newMessage(id, ann, {
    content: 'teh',
    replyToSeqId: 1,
    mentions: [users[1]],
    metadata,
  });
  const [saved] = await repo.save(message);
  const messageId = saved?.messageId ?? 0;
  const before = Date.now();

  const edited = await edit(id, ann, messageId, { content: 'the' });
  assert.deepEqual(
    [edited?.content, edited?.metadata, edited?.replyToSeqId, edited?.mentions, edited?.changeSeq],
    ['the', metadata, 1, [users[1]], 1],
  );
  assert.ok((edited?.editedAt ?? 0) >= before);
  assert.deepEqual(await messageOf(users[1], id, messageId), edited);

  const again = await edit(id, ann, messageId, { metadata: '{"color":"red"}' });
  assert.deepEqual([again?.content, again?.metadata, again?.changeSeq], ['the', '{"color":"red"}', 2]);
  const other = await edit(id, ann, first?.messageId ?? 0, { content: '1st' });
  assert.equal(other?.changeSeq, 3);

  const { conversation, lastMessage } = await repo.see(ann, id);
  assert.deepEqual([conversation?.lastChangeSeq, conversation?.lastSeqId], [3, 2]);
  assert.deepEqual([lastMessage?.content, lastMessage?.metadata], ['the', '{"color":"red"}']);
  assert.deepEqual(
    (await changesOf(id)).map(({ changeSeq, message }) => [changeSeq, message.content, message.metadata]),
    [
      [1, 'the', { color: 'blue' }],
      [2, 'the', { color: 'red' }],
      [3, '1st', undefined],
    ],
  );
});

test('an edit that changes nothing is no change', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const messageId = await repo.say(id, users[0], 'same');
  const first = await edit(id, users[0], messageId, { content: 'other' });
  assert.deepEqual(await edit(id, users[0], messageId, { content: 'other' }), first);
  assert.equal((await changesOf(id)).length, 1);
});

test('an edit moves no conversation up and is nothing unread', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  const messageId = await repo.say(id, ann, 'old');
  await repo.readTo(bob, id, 1);
  const before = await repo.see(bob, id);
  await edit(id, ann, messageId, { content: 'new' });
  const after = await repo.see(bob, id);
  assert.equal(after.unreadCount, 0);
  assert.equal(after.conversation?.updatedAt, before.conversation?.updatedAt);
});

test('only the sender edits, in time, and only where the sender may write', async () => {
  const { owner, admin, bob, cy, eve, id } = await repo.newGroupWithRoles();
  const messageId = await repo.say(id, bob, 'mine');
  const attempt = (actorId: string, fields: Edit = {}) =>
    edit(id, actorId, messageId, { content: 'changed', ...fields });
  await refusedWith(attempt(cy), 'PERMISSION_DENIED');
  await refusedWith(attempt(admin), 'PERMISSION_DENIED');
  await refusedWith(attempt(eve), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(attempt(bob, { editWindowMs: -1 }), 'EDIT_EXPIRED');
  await refusedWith(edit(id, bob, 12345, { content: 'x' }), 'MESSAGE_NOT_FOUND');
  await refusedWith(edit('12345', bob, messageId, { content: 'x' }), 'CONVERSATION_NOT_FOUND');

  await repo.changeMember(owner, id, bob, { muted: true });
  await refusedWith(attempt(bob), 'MEMBER_MUTED');
  await repo.changeMember(owner, id, bob, { muted: false });
  await repo.removeMembers(owner, id, [bob]);
  await refusedWith(attempt(bob), 'NOT_CONVERSATION_MEMBER');
  assert.deepEqual(await changesOf(id), []);
});

test('who is blocked or no friend any more does not edit in the single conversation', async () => {
  const users = (await repo.newUsers(2)) as [string, string];
  const id = await repo.newConversation(users, true);
  const messageId = await repo.say(id, users[0], 'hi');
  for (const [sendState, code] of [
    [1, 'NOT_FRIENDS'],
    [2, 'BLOCKED'],
  ] as const) {
    await repo.databases.conversations.execute('UPDATE conversations SET send_state = ? WHERE id = ?', [
      sendState,
      Number(id),
    ]);
    await refusedWith(edit(id, users[0], messageId, { content: 'x' }), code);
  }
});

test('what may not be sent may not be edited in either', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const messageId = await repo.say(id, users[0]);
  const attempt = (fields: Edit) => edit(id, users[0], messageId, fields);
  await refusedWith(attempt({}), 'INVALID_ARGUMENT');
  await refusedWith(attempt({ content: '' }), 'INVALID_ARGUMENT');
  await refusedWith(attempt({ content: 'x'.repeat(4001) }), 'MESSAGE_TOO_LARGE');
  await refusedWith(attempt({ metadata: '[]' }), 'INVALID_ARGUMENT');
  await refusedWith(attempt({ metadata: JSON.stringify({ text: 'x'.repeat(4096) }) }), 'MESSAGE_TOO_LARGE');
});

test('a recall is a change too, and takes content and metadata from storage', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  const metadata = '{"secret":"metadata"}';
  const [saved] = await repo.save(repo.newMessage(id, ann, { content: 'secret', mentions: [ann], metadata }));
  const messageId = saved?.messageId ?? 0;
  await edit(id, ann, messageId, { content: 'secret again' });
  await repo.recall(id, ann, messageId);
  await repo.recall(id, ann, messageId);
  const message = await messageOf(ann, id, messageId);
  assert.deepEqual(
    [message.deleted, message.content, message.metadata, message.changeSeq],
    [true, '', undefined, 2],
  );
  await refusedWith(edit(id, ann, messageId, { content: 'x' }), 'MESSAGE_NOT_FOUND');
  const frames = (await repo.eventsOf(id)).flatMap(({ frame }) => (frame ? [frame] : []));
  assert.deepEqual(frames, ['message-changed', 'message-changed', 'message-recalled']);
  const rows = await repo.databases.conversations.query<{ content: string; extra: string | null }>(
    'SELECT content, extra FROM messages WHERE id = ?',
    [messageId],
  );
  assert.ok(!JSON.stringify(rows).includes('secret'));
});

test('many edits at once in one conversation are numbered without a gap, and told in that order', async () => {
  const { users, id } = await repo.newConversationOf(3);
  const ids = await Promise.all(users.map((user) => repo.say(id, user)));
  await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      edit(id, users[n % 3] ?? '', ids[n % 3] ?? 0, { content: `version ${n}` }),
    ),
  );
  assert.deepEqual(
    (await changesOf(id)).map(({ changeSeq }) => changeSeq),
    Array.from({ length: 30 }, (_, n) => n + 1),
  );
});

test('pages know of edits: a page that was unchanged has another tag after one', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  const messageId = await repo.say(id, ann, 'old');
  for (let n = 0; n < 5; n += 1) await repo.say(id, bob);
  // A page that ends before the head, so that no new message could change it.
  const page = (knownTag = '') =>
    repo.messages.getMessages({ userId: bob, conversationId: id, afterSeqId: 0, limit: 2, knownTag });
  const { tag } = await page();
  assert.equal((await page(tag)).unchanged, true);
  await edit(id, ann, messageId, { content: 'new' });
  const after = await page(tag);
  assert.equal(after.unchanged, false);
  assert.deepEqual(after.messages[0]?.content, 'new');
  assert.equal((await page(after.tag)).unchanged, true);
  await repo.recall(id, ann, messageId);
  assert.equal((await page(after.tag)).messages[0]?.deleted, true);
});

test('an erased user’s messages lose content and metadata, as changes', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  await repo.save(repo.newMessage(id, ann, { content: 'secret', metadata: '{"a":1}' }));
  await repo.save(repo.newMessage(id, ann, { content: 'secret' }), repo.newMessage(id, bob));
  await repo.databases.users.execute('UPDATE users SET status = 2 WHERE id = ?', [Number(ann)]);
  await repo.messages.redactMessages({ userId: ann, cursor: '', limit: 100 });
  const { messages } = await repo.messages.getMessages({ userId: bob, conversationId: id, limit: 10 });
  assert.deepEqual(
    messages.map(({ deleted, metadata, changeSeq }) => [deleted, metadata, changeSeq]),
    [
      [true, undefined, 1],
      [true, undefined, 2],
      [false, undefined, 0],
    ],
  );
  const { changes } = await repo.sync(bob, { [id]: 3 }, { changes: { [id]: 0 } });
  assert.deepEqual(
    changes.map(({ changeSeq, message }) => [changeSeq, message?.deleted]),
    [
      [1, true],
      [2, true],
    ],
  );
});
