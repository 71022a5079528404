import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../../../lib/gen/im_repo/v1/message.ts';
import { eventually } from '../../../support/eventually.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

/** A conversation in fan-out mode, with a message that is not delivered yet. */
async function newMessage() {
  const { users, id } = await repo.newConversationOf(2);
  const messageId = await repo.say(id, users[0]);
  await repo.databases.conversations.execute(
    'UPDATE conversation_heads SET fanout_mode = TRUE, fanout_done_seq = 0 WHERE conversation_id = ?',
    [Number(id)],
  );
  return { users, conversationId: id, messageId };
}

const toldOf = async (conversationId: string) =>
  (await repo.eventsOf(conversationId)).flatMap(({ frame, data }) =>
    frame === 'message-changed' ? [(data as { message: Message }).message] : [],
  );

test('in fan-out mode a change waits until its message is delivered, and not for ever', async () => {
  const { users, conversationId, messageId } = await newMessage();
  const other = await repo.newConversation(users);
  const elsewhere = { conversationId: other, messageId: await repo.say(other, users[0]) };
  const edit = (content: string, place: object = {}) =>
    repo.messages.editMessage({
      actorId: users[0],
      conversationId,
      messageId,
      content,
      editWindowMs: 60_000,
      ...place,
    });
  const editing = edit('edited');
  // While it waits, the changes of other conversations go on.
  for (const content of ['1', '2', '3']) await edit(content, elsewhere);
  assert.deepEqual(await toldOf(conversationId), []);
  await repo.fanout.setFanoutDone({ conversationId, doneSeqId: 1 });
  assert.equal((await editing).message?.changeSeq, 1);

  await repo.databases.conversations.execute(
    'UPDATE conversation_heads SET fanout_done_seq = 0 WHERE conversation_id = ?',
    [Number(conversationId)],
  );
  assert.equal((await edit('edited again')).message?.changeSeq, 2);
});

test('in fan-out mode reactions are told when their message is delivered', async () => {
  const { users, conversationId, messageId } = await newMessage();
  await repo.messages.setReaction({
    actorId: users[1],
    conversationId,
    messageId,
    emoji: '👍',
    on: true,
  });
  const { message } = await repo.messages.getMessage({ userId: users[0], conversationId, messageId });
  assert.deepEqual([message?.reactions.length, message?.changeSeq], [1, 0]);
  assert.deepEqual(await toldOf(conversationId), []);
  await repo.fanout.setFanoutDone({ conversationId, doneSeqId: 1 });
  await eventually(async () => (await toldOf(conversationId)).length === 1);
});
