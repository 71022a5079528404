import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageType } from '../../../../lib/domain/enumerations.ts';
import { worldRoomId } from '../../../../lib/domain/ids.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';
import { createSearchParts } from '../../../support/search/search-parts.ts';

const { repo } = await openConversationRepo();
const { index, store, tell, search, searchAll, termsOf } = createSearchParts(repo);

const edit = (conversationId: string, actorId: string, messageId = 0, content = '') =>
  repo.messages.editMessage({ conversationId, actorId, messageId, content, editWindowMs: 60_000 });
const recall = (conversationId: string, actorId: string, messageId = 0) =>
  repo.messages.deleteMessage({ conversationId, actorId, messageId, recallWindowMs: 60_000 });

test('a member finds messages by their words, the newest first, with highlights and the name of the group', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  await tell(id, ann, 'Shall we meet at Eight?', 'nobody came', 'We met at eight, MEETING eighty people');
  const { hits } = await search(bob, 'we eig');
  assert.deepEqual(
    hits.map(({ message, highlights }) => [
      message?.seqId,
      highlights.map(({ start, length }) => message?.content.slice(start, start + length)),
    ]),
    [
      [3, ['We', 'eig', 'eig']],
      [1, ['we', 'Eig']],
    ],
  );
  assert.equal(hits[0]?.message?.sender?.id, ann);
  await repo.databases.users.execute('UPDATE conversations SET name = ? WHERE id = ?', [
    'Climbing',
    Number(id),
  ]);
  const single = await repo.newConversation(users, true);
  await tell(single, ann, 'eight among us');
  const named = await search(bob, 'eight');
  assert.equal(named.hits[0]?.conversationName, `User ${ann}`);
});

test('texts in scripts without spaces are found by two neighbouring characters, and by nothing less', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const [ann] = users;
  await tell(id, ann, '今天天气很好', 'สวัสดีครับ', 'ﾊﾟｰﾃｨｰ');
  assert.deepEqual((await search(ann, '天气')).contents, ['今天天气很好']);
  assert.deepEqual((await search(ann, 'สดีค')).contents, ['สวัสดีครับ']);
  assert.deepEqual((await search(ann, 'パーティー')).contents, ['ﾊﾟｰﾃｨｰ']);
  for (const query of ['天', '天好', '!', 'ก'])
    assert.deepEqual((await search(ann, query)).contents, [], query);
});

test('nobody finds what is said where they are no member, or are no member any more', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  const [eve = ''] = await repo.newUsers(1);
  await tell(id, ann, 'the secret recipe');
  assert.equal((await search(bob, 'recipe')).contents.length, 1);
  assert.deepEqual((await search(eve, 'recipe')).contents, []);
  await refusedWith(search(eve, 'recipe', { conversationId: id }), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(search(eve, 'recipe', { conversationId: '7' }), 'CONVERSATION_NOT_FOUND');
  await repo.removeMember(id, bob);
  assert.deepEqual((await search(bob, 'recipe')).contents, []);
  await refusedWith(search(bob, 'recipe', { conversationId: id }), 'NOT_CONVERSATION_MEMBER');
});

test('an edited message is found by its new words only, at once', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const [ann] = users;
  const [first, second] = await tell(id, ann, 'plum and pear', 'plum and apple');
  await edit(id, ann, first?.messageId, 'plum and quince');
  assert.deepEqual((await search(ann, 'quince')).contents, ['plum and quince']);
  assert.deepEqual((await search(ann, 'pear')).contents, []);
  assert.deepEqual((await search(ann, 'plum')).contents, ['plum and apple', 'plum and quince']);
  assert.deepEqual(await termsOf(id), ['and', 'apple', 'plum', 'quince']);
  // A message that is not in the index yet is taken up as it is then.
  const [third] = await store(id, ann, ['old words']);
  await edit(id, ann, third?.messageId, 'new words');
  await index(id, third?.seqId);
  assert.deepEqual((await search(ann, 'words')).contents, ['new words']);
  assert.ok(!(await termsOf(id)).includes('old'));
  await recall(id, ann, second?.messageId);
  assert.deepEqual(await termsOf(id), ['and', 'new', 'plum', 'quince', 'words']);
});

test('a recalled message is found by nobody, and its words leave the index with the recall', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const [ann] = users;
  const [first] = await tell(id, ann, 'a secret password', 'a secret');
  await recall(id, ann, first?.messageId);
  assert.deepEqual(await termsOf(id), ['a', 'secret']);
  assert.deepEqual((await search(ann, 'secret')).contents, ['a secret']);
});

test('pages by cursor neither skip nor repeat, whatever comes meanwhile, over conversations and blocks', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const [ann] = users;
  const others = [await repo.newConversation(users), await repo.newConversation(users)];
  const all: string[] = [];
  for (let round = 0; round < 13; round += 1) {
    for (const conversationId of [id, ...others]) {
      const texts = Array.from(
        { length: 100 },
        (_, n) => `${n % 10 === 0 ? 'apple' : 'pear'} ${round} ${n} in ${conversationId}`,
      );
      await tell(conversationId, ann, ...texts);
      all.push(...texts.filter((text) => text.startsWith('apple')));
    }
  }
  const found = await searchAll(ann, 'apple in', 7);
  assert.deepEqual(found.toSorted(), all.toSorted());
  const times = (await search(ann, 'app', { limit: 200 })).hits.map(({ message }) => message?.createdAt ?? 0);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  );
  const first = await search(ann, 'apple', { limit: 10 });
  await tell(id, ann, 'apple again');
  const second = await search(ann, 'apple', { limit: 10, cursor: first.nextCursor });
  assert.ok(!second.contents.includes('apple again'));
  assert.equal(new Set([...first.contents, ...second.contents]).size, 20);
  assert.deepEqual(await searchAll(ann, 'nowhere', 7), []);
});

test('pages neither skip nor repeat if the clocks of the processes that store messages differ by a second', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const [ann] = users;
  await store(
    id,
    ann,
    Array.from({ length: 200 }, (_, n) => `kiwi ${n}`),
  );
  // Every third message comes from a process whose clock is behind.
  await repo.databases.users.execute(
    'UPDATE messages SET created_at = 1000000 + 50 * seq_id - IF(seq_id % 3 = 0, 1000, 0) WHERE conversation_id = ?',
    [Number(id)],
  );
  await index(id, 1, 200);
  for (const limit of [1, 7, 50]) {
    const found = await searchAll(ann, 'kiwi', limit);
    assert.equal(found.length, 200);
    assert.equal(new Set(found).size, 200);
  }
  const { hits } = await search(ann, 'kiwi', { limit: 50 });
  const times = hits.map(({ message }) => message?.createdAt ?? 0);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  );
});

test('a search can be narrowed to a conversation, a sender and a time', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const other = await repo.newConversation(users);
  const [ann, bob] = users;
  const [first] = await tell(id, ann, 'melon 1');
  await new Promise((resolve) => setTimeout(resolve, 5));
  const [second] = await tell(id, bob, 'melon 2');
  await new Promise((resolve) => setTimeout(resolve, 5));
  const [third] = await tell(other, ann, 'melon 3');
  assert.deepEqual((await search(ann, 'melon', { conversationId: id })).contents, ['melon 2', 'melon 1']);
  assert.deepEqual((await search(ann, 'melon', { senderId: ann })).contents, ['melon 3', 'melon 1']);
  assert.deepEqual((await search(ann, 'melon', { senderId: 'nobody' })).contents, []);
  const [from = 0, at = 0, to = 0] = [first, second, third].map((one) => one?.createdAt);
  assert.deepEqual((await search(ann, 'melon', { after: from, before: to })).contents, ['melon 2']);
  assert.deepEqual((await search(ann, 'melon', { before: at })).contents, ['melon 1']);
  assert.deepEqual((await search(ann, 'melon', { after: at })).contents, ['melon 3']);
  assert.deepEqual((await search(ann, 'melon', { after: to, before: from })).contents, []);
  await refusedWith(search(ann, 'melon', { limit: 201 }), 'INVALID_ARGUMENT');
  await refusedWith(search(ann, 'melon', { cursor: 'x' }), 'INVALID_ARGUMENT');
});

test('images and files are found by their names', async () => {
  const { users, id } = await repo.newConversationOf(1);
  const [ann] = users;
  const file = (name: string) => ({
    messageType: messageType.file,
    content: JSON.stringify({ url: 'https://files.example/x', name, size: 1, mime: 'text/plain' }),
  });
  await tell(id, ann, file('Annual report.pdf'), file('the "report".txt'));
  const { hits } = await search(ann, 'report');
  assert.deepEqual(
    hits.map(({ message, highlights }) =>
      highlights.map(({ start, length }) => message?.content.slice(start, start + length)),
    ),
    [[], ['report']],
  );
  assert.deepEqual((await search(ann, 'example')).contents, []);
});

test('everybody finds the messages of the world room', async () => {
  const guest = await repo.newGuest();
  const [said] = await tell(String(worldRoomId), guest, 'hello galaxy');
  assert.equal(said?.error, 0);
  assert.deepEqual((await search(await repo.newGuest(), 'galax')).contents, ['hello galaxy']);
});

test('a search that meets many messages of others, or of the same time, comes to its end page by page', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  await tell(id, bob, 'fig tree');
  for (let round = 0; round < 5; round += 1) {
    await tell(id, ann, ...Array.from({ length: 500 }, (_, n) => `fig ${round} ${n}`));
  }
  assert.deepEqual(await searchAll(ann, 'fig', 20, { senderId: bob }), ['fig tree']);
  await repo.databases.users.execute('UPDATE messages SET created_at = 7 WHERE conversation_id = ?', [
    Number(id),
  ]);
  for (let cursor = ''; ; ) {
    cursor = (await repo.search.reindexMessages({ cursor, limit: 5000, conversationId: id })).nextCursor;
    if (cursor === '') break;
  }
  assert.equal(new Set(await searchAll(ann, 'fig', 200)).size, 2501);
  assert.deepEqual(await searchAll(ann, 'fig', 20, { senderId: bob }), ['fig tree']);
});
