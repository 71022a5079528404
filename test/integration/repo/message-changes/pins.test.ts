import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedWith } from '../../../support/refused-with.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

const setPinned = (conversationId: string, actorId: string, messageId: number, pinned = true) =>
  repo.messages.setPinned({ conversationId, actorId, messageId, pinned });

const pinnedIn = async (conversationId: string, userId: string) => {
  const { messages } = await repo.messages.getPinnedMessages({ conversationId, userId });
  return messages.map(({ id, pinned }) => [id, pinned]);
};

test('the owner and admins pin messages of anyone, which is a change and shown on the message', async () => {
  const { owner, admin, bob, eve, id } = await repo.newGroupWithRoles();
  const [first, second] = [await repo.say(id, bob), await repo.say(id, bob)];
  await setPinned(id, owner, first);
  await setPinned(id, owner, first);
  await setPinned(id, admin, second);
  assert.deepEqual(
    (await pinnedIn(id, bob)).sort(),
    [
      [first, true],
      [second, true],
    ].sort(),
  );
  const { messages } = await repo.messages.getMessages({ userId: bob, conversationId: id, limit: 10 });
  assert.deepEqual(
    messages.map(({ pinned, changeSeq }) => [pinned, changeSeq]),
    [
      [true, 1],
      [true, 2],
    ],
  );
  await setPinned(id, admin, first, false);
  await setPinned(id, admin, first, false);
  assert.deepEqual(await pinnedIn(id, bob), [[second, true]]);
  const events = await repo.eventsOf(id);
  assert.deepEqual(
    events.flatMap(({ type, pinned }) => (type === 'message.pinned' ? [pinned] : [])),
    [true, true, false],
  );
  assert.deepEqual(
    events.flatMap(({ frame, data }) =>
      frame === 'message-changed' ? [(data as { changeSeq: number }).changeSeq] : [],
    ),
    [1, 2, 3],
  );
  await refusedWith(setPinned(id, bob, first), 'PERMISSION_DENIED');
  await refusedWith(setPinned(id, eve, first), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(setPinned(id, owner, 12345), 'MESSAGE_NOT_FOUND');
  await refusedWith(pinnedIn(id, eve), 'NOT_CONVERSATION_MEMBER');
});

test('in a single conversation either one pins', async () => {
  const users = (await repo.newUsers(2)) as [string, string];
  const id = await repo.newConversation(users, true);
  const messageId = await repo.say(id, users[0]);
  await setPinned(id, users[1], messageId);
  await setPinned(id, users[0], messageId, false);
  assert.deepEqual(await pinnedIn(id, users[0]), []);
});

test('a conversation has at most 100 pinned messages', async () => {
  const { owner, id } = await repo.newGroupWithRoles();
  const ids = [];
  for (let n = 0; n < 101; n += 1) ids.push(await repo.say(id, owner));
  for (const messageId of ids.slice(0, 100)) await setPinned(id, owner, messageId);
  await refusedWith(setPinned(id, owner, ids[100] ?? 0), 'PIN_LIMIT');
  await setPinned(id, owner, ids[0] ?? 0, false);
  await setPinned(id, owner, ids[100] ?? 0);
  assert.equal((await pinnedIn(id, owner)).length, 100);
});
