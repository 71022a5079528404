import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedWith } from '../../../support/refused-with.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

async function around(userId: string, conversationId: string, aroundSeqId: number, limit: number) {
  const request = { userId, conversationId, aroundSeqId, limit };
  const page = await repo.messages.getMessages(request);
  return [page.messages.map(({ seqId }) => seqId), page.hasOlder, page.hasNewer];
}

test('one half of a page around a message ends with that message, and the page says whether more messages precede and follow it', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  for (let n = 1; n <= 9; n += 1) await repo.say(id, ann);
  assert.deepEqual(await around(ann, id, 5, 4), [[4, 5, 6, 7], true, true]);
  assert.deepEqual(await around(ann, id, 5, 3), [[4, 5, 6], true, true]);
  assert.deepEqual(await around(ann, id, 5, 1), [[5], true, true]);
  assert.deepEqual(await around(ann, id, 1, 4), [[1, 2, 3], false, true]);
  assert.deepEqual(await around(ann, id, 9, 4), [[8, 9], true, false]);
  assert.deepEqual(await around(ann, id, 0, 4), [[1, 2], false, true]);
  assert.deepEqual(await around(ann, id, 100, 4), [[8, 9], true, false]);
  assert.deepEqual(await around(ann, id, 5, 100), [[1, 2, 3, 4, 5, 6, 7, 8, 9], false, false]);
});

test('a page around a message is unchanged until a message arrives that belongs on it', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  for (let n = 1; n <= 6; n += 1) await repo.say(id, ann);
  const tags = async () => {
    const pages = [2, 6].map((aroundSeqId) =>
      repo.messages.getMessages({ userId: ann, conversationId: id, aroundSeqId, limit: 4 }),
    );
    return (await Promise.all(pages)).map(({ tag }) => tag);
  };
  const [early, late] = await tags();
  await repo.say(id, ann);
  const [earlyAfter, lateAfter] = await tags();
  assert.equal(earlyAfter, early);
  assert.notEqual(lateAfter, late);
});

test('a page is either around a message or beyond a bound', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const page = { userId: users[0], conversationId: id, limit: 4, aroundSeqId: 1 };
  await refusedWith(repo.messages.getMessages({ ...page, beforeSeqId: 3 }), 'INVALID_ARGUMENT');
  await refusedWith(repo.messages.getMessages({ ...page, afterSeqId: 3 }), 'INVALID_ARGUMENT');
});

test('members can read a message by its id, also a recalled one', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  const [stranger = ''] = await repo.newUsers(1);
  const other = await repo.newConversation(users);
  const messageId = await repo.say(id, ann, 'hello');
  const get = (userId: string, conversationId = id, asked = messageId) =>
    repo.messages.getMessage({ userId, conversationId, messageId: asked });
  assert.deepEqual((await get(bob)).message?.content, 'hello');
  await refusedWith(get(stranger), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(get(bob, '12345'), 'CONVERSATION_NOT_FOUND');
  await refusedWith(get(bob, other), 'MESSAGE_NOT_FOUND');
  await refusedWith(get(bob, id, 12345), 'MESSAGE_NOT_FOUND');
  await repo.recall(id, ann, messageId);
  const { message } = await get(bob);
  assert.deepEqual([message?.deleted, message?.content], [true, '']);
});
