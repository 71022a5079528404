import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Message } from '../../../../lib/gen/im_repo/v1/message.ts';
import { startReactionTelling } from '../../../../services/repo/message-changes/reaction-telling.ts';
import { atEnd } from '../../../support/at-end.ts';
import { eventually } from '../../../support/eventually.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

type Place = { conversationId: string; messageId: number };

const react = ({ conversationId, messageId }: Place, actorId: string, emoji = '👍', on = true) =>
  repo.messages.setReaction({ conversationId, actorId, messageId, emoji, on });

async function messageOf(userId: string, { conversationId, messageId }: Place): Promise<Message> {
  const { message } = await repo.messages.getMessage({ userId, conversationId, messageId });
  if (!message) throw new Error('there is no message');
  return message;
}

type Told = {
  changeSeq: number;
  message: Message;
  reacted?: { userId: string; emoji: string; on: boolean }[];
};

/** The changes of a conversation's messages that members are told, in their order. */
async function toldOf(conversationId: string): Promise<Told[]> {
  const frames = await repo.eventsOf(conversationId);
  return frames.flatMap(({ frame, data }) => (frame === 'message-changed' ? [data as Told] : []));
}

async function newMessageOf(size: number) {
  const { users, id } = await repo.newConversationOf(size);
  return { users, conversationId: id, messageId: await repo.say(id, users[0]) };
}

/** Waits until the last told state of the message has these counts. */
const toldCounts = (place: Place, expected: Record<string, number>) =>
  eventually(async () => {
    const last = (await toldOf(place.conversationId)).at(-1);
    const counts = Object.fromEntries(
      (last?.message.reactions ?? []).map(({ emoji, count }) => [emoji, count]),
    );
    return isDeepStrictEqual(counts, expected);
  });

test('a reaction is shown at once, counted once per user and emoji, and taken away', async () => {
  const { users, ...place } = await newMessageOf(3);
  const [ann, bob, cy = ''] = users;
  await react(place, ann);
  await react(place, ann);
  await react(place, bob);
  await react(place, cy, '❤');
  assert.deepEqual((await messageOf(ann, place)).reactions, [
    { emoji: '👍', count: 2, userIds: [ann, bob] },
    { emoji: '❤️', count: 1, userIds: [cy] },
  ]);
  await react(place, ann, '👍', false);
  await react(place, ann, '👍', false);
  await react(place, cy, '❤️', false);
  assert.deepEqual((await messageOf(ann, place)).reactions, [{ emoji: '👍', count: 1, userIds: [bob] }]);
  await toldCounts(place, { '👍': 1 });
});

test('reactions that come at once are told together, at most four times a second, with numbers in a row', async () => {
  const { users, ...place } = await newMessageOf(60);
  const from = performance.now();
  await Promise.all(users.map((user) => react(place, user)));
  await toldCounts(place, { '👍': 60 });
  const seconds = (performance.now() - from) / 1000;
  const told = await toldOf(place.conversationId);
  assert.ok(told.length <= 4 * seconds + 1, `${told.length} changes in ${seconds} s`);
  assert.deepEqual(
    told.map(({ changeSeq }) => changeSeq),
    told.map((_, index) => index + 1),
  );
  const reacted = told.flatMap((one) => one.reacted ?? []);
  assert.deepEqual(reacted.map(({ userId }) => userId).sort(), [...users].sort());
  const { conversation } = await repo.see(users[0], place.conversationId);
  assert.equal(conversation?.lastChangeSeq, told.length);
});

test('a reaction taken back before it was told is told to nobody', async () => {
  const { users, ...place } = await newMessageOf(2);
  const [ann, bob] = users;
  await react(place, ann);
  // As if reactions had just been told, so that the next ones wait for a while.
  await repo.databases.conversations.execute(
    'UPDATE message_changes SET reactions_told_at = ? WHERE conversation_id = ?',
    [Date.now() + 1000, Number(place.conversationId)],
  );
  await react(place, bob);
  await react(place, bob, '👍', false);
  await react(place, ann, '🎉');
  await toldCounts(place, { '👍': 1, '🎉': 1 });
  const told = await toldOf(place.conversationId);
  assert.deepEqual(
    told.flatMap(({ reacted = [] }) => reacted.map(({ userId, emoji, on }) => [userId, emoji, on])),
    [
      [ann, '👍', true],
      [ann, '🎉', true],
    ],
  );
});

test('what a process that died stored and did not tell is told by another', async () => {
  const { users, ...place } = await newMessageOf(2);
  const now = Date.now();
  const seqId = (await messageOf(users[0], place)).seqId;
  const key = [Number(place.conversationId), seqId];
  const sql = repo.databases.conversations;
  await sql.execute(
    'INSERT INTO message_reactions (conversation_id, seq_id, emoji, user_id, created_at) VALUES (?)',
    [[...key, Buffer.from('👍'), Number(users[1]), now - 3000]],
  );
  await sql.execute('UPDATE messages SET reactions = ? WHERE conversation_id = ? AND seq_id = ?', [
    JSON.stringify([{ emoji: '👍', count: 1, userIds: [users[1]] }]),
    ...key,
  ]);
  await sql.execute(
    'INSERT INTO untold_reactions (conversation_id, seq_id, user_id, emoji, is_on, created_at) VALUES (?)',
    [[...key, Number(users[1]), Buffer.from('👍'), true, now - 3000]],
  );
  // Another process looks, too: the change is told once.
  const { databases, changeMessage, log } = repo;
  atEnd(startReactionTelling({ databases, changeMessage, log }).stop);
  await toldCounts(place, { '👍': 1 });
  assert.deepEqual((await toldOf(place.conversationId)).length, 1);
});

test('a message has at most 20 kinds of reactions, and names the first 20 users of each', async () => {
  const { users, ...place } = await newMessageOf(25);
  const kinds = Array.from({ length: 20 }, (_, n) => String.fromCodePoint(0x1f600 + n));
  for (const emoji of kinds) await react(place, users[0], emoji);
  await refusedWith(react(place, users[1], '👍'), 'REACTION_LIMIT');
  const [first = ''] = kinds;
  for (const user of users.slice(1)) await react(place, user, first);
  const reactionOf = async () =>
    (await messageOf(users[0], place)).reactions.find(({ emoji }) => emoji === first);
  assert.deepEqual(await reactionOf(), { emoji: first, count: 25, userIds: users.slice(0, 20) });
  await react(place, users[3] ?? '', first, false);
  const expected = users.filter((_, index) => index !== 3).slice(0, 20);
  const after = await reactionOf();
  assert.deepEqual([after?.count, after?.userIds.toSorted()], [24, expected.toSorted()]);
  await react(place, users[24] ?? '', first, false);
  assert.deepEqual(await reactionOf(), { emoji: first, count: 23, userIds: after?.userIds });
});

test('only who may write reacts, with an emoji, to a message that is there', async () => {
  const { owner, bob, eve, id } = await repo.newGroupWithRoles();
  const place = { conversationId: id, messageId: await repo.say(id, owner) };
  await refusedWith(react(place, bob, 'x'), 'INVALID_ARGUMENT');
  await refusedWith(react(place, eve), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(react({ ...place, messageId: 12345 }, bob), 'MESSAGE_NOT_FOUND');
  await repo.changeMember(owner, id, bob, { muted: true });
  await refusedWith(react(place, bob), 'MEMBER_MUTED');
  await repo.recall(id, owner, place.messageId);
  await refusedWith(react(place, owner), 'MESSAGE_NOT_FOUND');
});

test('the reactions to a message are listed in the order of time, and one’s own are found in a range', async () => {
  const { users, ...place } = await newMessageOf(5);
  const { conversationId, messageId } = place;
  for (const user of users) await react(place, user, user === users[0] ? '🎉' : '👍');
  const [me] = users;
  const list = (fields: object = {}) =>
    repo.messages.getReactions({ userId: me, conversationId, messageId, limit: 2, offset: 0, ...fields });
  const first = await list();
  assert.deepEqual(
    first.reactions.map(({ emoji, user }) => [emoji, user?.id]),
    [
      ['🎉', me],
      ['👍', users[1]],
    ],
  );
  assert.equal(first.hasMore, true);
  const next = await list({ cursor: first.nextCursor });
  assert.deepEqual(
    next.reactions.map(({ user }) => user?.id),
    users.slice(2, 4),
  );
  const thumbs = await list({ emoji: '👍', limit: 50 });
  assert.deepEqual(
    thumbs.reactions.map(({ user }) => user?.id),
    users.slice(1),
  );
  const own = (fromSeqId: number, toSeqId: number) =>
    repo.messages.getOwnReactions({ userId: me, conversationId, fromSeqId, toSeqId });
  assert.deepEqual((await own(0, 10)).reactions, [{ messageId, emoji: '🎉' }]);
  assert.deepEqual((await own(2, 10)).reactions, []);
});

test('a recall takes reactions and pin from storage', async () => {
  const { users, ...place } = await newMessageOf(3);
  const [ann, bob] = users;
  await react(place, bob);
  await react(place, ann);
  await repo.databases.conversations.execute('UPDATE conversations SET type = 1 WHERE id = ?', [
    Number(place.conversationId),
  ]);
  await repo.messages.setPinned({ ...place, actorId: ann, pinned: true });
  await repo.recall(place.conversationId, ann, place.messageId);
  const message = await messageOf(ann, place);
  assert.deepEqual([message.reactions, message.pinned, message.deleted], [[], false, true]);
  for (const table of ['message_reactions', 'untold_reactions', 'message_pins']) {
    const rows = await repo.databases.conversations.query(
      `SELECT 1 FROM ${table} WHERE conversation_id = ?`,
      [Number(place.conversationId)],
    );
    assert.deepEqual(rows, [], table);
  }
});

test('an erased user’s reactions go, from counts and lists, and those to their messages', async () => {
  const { users, ...place } = await newMessageOf(3);
  const [ann, bob] = users;
  const bobs = { ...place, messageId: await repo.say(place.conversationId, bob) };
  await react(place, bob);
  await react(place, ann);
  await react(bobs, ann);
  await react(bobs, bob);
  await repo.databases.users.execute('UPDATE users SET status = 2 WHERE id = ?', [Number(bob)]);
  await repo.databases.conversations.execute(
    `INSERT INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at) VALUES (?)
     ON DUPLICATE KEY UPDATE last_read_seq_id = last_read_seq_id`,
    [[Number(bob), Number(place.conversationId), 0, 1]],
  );
  await repo.messages.redactMessages({ userId: bob, cursor: '', limit: 100 });
  assert.deepEqual((await messageOf(ann, place)).reactions, [{ emoji: '👍', count: 1, userIds: [ann] }]);
  assert.deepEqual((await messageOf(ann, bobs)).reactions, []);
  const rows = await repo.databases.conversations.query<{ user_id: number }>(
    'SELECT user_id FROM message_reactions WHERE conversation_id = ?',
    [Number(place.conversationId)],
  );
  assert.deepEqual(
    rows.map(({ user_id }) => String(user_id)),
    [ann],
  );
});

test('a page with a message of 10,000 reactions is as long as one with 20', async () => {
  const { users, ...place } = await newMessageOf(21);
  const { conversationId } = place;
  for (const user of users) await react(place, user);
  const request = { userId: users[0], conversationId, limit: 50, afterSeqId: 0 };
  const few = Buffer.byteLength(JSON.stringify(await repo.messages.getMessages(request)));
  const sql = repo.databases.conversations;
  await sql.execute(
    'INSERT INTO message_reactions (conversation_id, seq_id, emoji, user_id, created_at) VALUES ?',
    [
      Array.from({ length: 10_000 }, (_, n) => [
        Number(conversationId),
        1,
        Buffer.from('👍'),
        n + 1,
        Date.now(),
      ]),
    ],
  );
  const [last = ''] = users.slice(-1);
  await react(place, last, '🎉');
  const many = Buffer.byteLength(JSON.stringify(await repo.messages.getMessages(request)));
  assert.ok(many < few + 200, `${many} bytes instead of ${few}`);
});
