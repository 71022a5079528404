import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedWith } from '../../../support/refused-with.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const world = '1';

const { repo } = await openConversationRepo();

const mute = (conversationId: string, userIds: string[], muted = true) =>
  repo.conversations.muteMembers({ conversationId, userIds, muted });
const recall = (conversationId: string, messageId: number) =>
  repo.messages.deleteMessage({ actorId: '', conversationId, messageId, recallWindowMs: 0 });

test('operators can recall messages of others, after the recall window, and in the world room', async () => {
  const [ann, bob] = [await repo.newGuest(), await repo.newGuest()];
  const group = await repo.newGroup([ann, bob]);
  for (const id of [group, world]) {
    const messageId = await repo.say(id, ann, 'a text');
    assert.equal((await recall(id, messageId)).deleted, true);
    assert.equal((await recall(id, messageId)).deleted, false);
    const { messages } = await repo.messages.getMessages({ userId: bob, conversationId: id, limit: 1 });
    assert.deepEqual([messages[0]?.content, messages[0]?.deleted], ['', true]);
    const told = (await repo.eventsOf(id)).at(-1);
    assert.equal(told?.frame, 'message-recalled');
    const { conversationId, messageId: its, by } = (told?.data ?? {}) as Record<string, unknown>;
    assert.deepEqual([conversationId, its, by], [id, messageId, '0']);
  }
  const elsewhere = await repo.say(group, ann, 'a text');
  await refusedWith(recall(world, elsewhere), 'MESSAGE_NOT_FOUND');
  await refusedWith(recall('8999', elsewhere), 'CONVERSATION_NOT_FOUND');
});

test('operators can mute and unmute every member, also the owner', async () => {
  const [owner, bob] = [await repo.newGuest(), await repo.newGuest()];
  const group = await repo.newGroup([owner, bob]);
  for (const id of [group, world]) {
    // Fills the cache with the values from before the change.
    await repo.list(owner);
    assert.deepEqual(await mute(id, [owner, bob, '8999999999999']), {
      changed: [owner, bob],
      unknown: ['8999999999999'],
    });
    assert.deepEqual(await mute(id, [owner, bob]), { changed: [], unknown: [] });
    for (const userId of [owner, bob]) {
      await assert.rejects(repo.say(id, userId), /muted/);
      assert.equal((await repo.see(userId, id)).userMembership?.muted, true);
    }
    assert.deepEqual(await mute(id, [owner], false), { changed: [owner], unknown: [] });
    await repo.say(id, owner);
    await assert.rejects(repo.say(id, bob), /muted/);
  }
  await refusedWith(mute('8999', [owner]), 'CONVERSATION_NOT_FOUND');
});

test('a mute of a user who is no member applies when the user returns, until it is lifted', async () => {
  const [owner, bob, cy] = [await repo.newGuest(), await repo.newGuest(), await repo.newGuest()];
  const group = await repo.newGroup([owner, bob]);
  const add = (userId: string) =>
    repo.conversations.addConversationMember({ actorId: owner, conversationId: group, userIds: [userId] });
  await repo.conversations.removeConversationMember({ actorId: bob, conversationId: group, userIds: [bob] });
  assert.deepEqual((await mute(group, [bob, cy])).changed, [bob, cy]);
  assert.deepEqual((await mute(group, [cy], false)).changed, [cy]);
  await add(bob);
  await add(cy);
  await assert.rejects(repo.say(group, bob), /muted/);
  await repo.say(group, cy);
});
