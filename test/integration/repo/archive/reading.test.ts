import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { markerKey } from '../../../../services/repo/cold/cold-store.ts';
import { openArchiveRepo } from '../../../support/archive/archive-parts.ts';
import { eventually } from '../../../support/eventually.ts';
import { refusal, refusedWith } from '../../../support/refused-with.ts';

const { repo } = await openArchiveRepo();

async function newHistory(count: number) {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  const ids: number[] = [];
  for (let n = 1; n <= count; n++) ids.push(await repo.say(id, n % 2 === 0 ? ann : bob, `text ${n} 你好`));
  return { ann, bob, id, ids };
}

test('pages are the same before and after messages were archived, and when only some were', async () => {
  const { ann, id } = await newHistory(12);
  const before = await repo.pagesOf(ann, id, 12);
  for (const keepNewest of [9, 6, 1]) {
    await repo.archiveOf(id, keepNewest);
    assert.deepEqual(await repo.pagesOf(ann, id, 12), before, 'archived, and still in the database');
    await repo.deleteArchived(id);
    assert.deepEqual(await repo.pagesOf(ann, id, 12), before, 'archived, and deleted from the database');
  }
  assert.deepEqual(await repo.rowsOf(id), [12]);
});

test('a message is found by its id, also when it is archived', async () => {
  const { ann, id, ids } = await newHistory(5);
  const read = () =>
    Promise.all(
      ids.map((messageId) => repo.messages.getMessage({ userId: ann, conversationId: id, messageId })),
    );
  const before = await read();
  assert.deepEqual(await repo.moveOut(id), { archived: 4, deleted: 4, kept: 0 });
  assert.deepEqual(await read(), before);
  await refusedWith(
    repo.messages.getMessage({ userId: ann, conversationId: id, messageId: (ids[1] ?? 0) + 1 }),
    'MESSAGE_NOT_FOUND',
  );
});

test('a sync from the beginning, or from somewhere within, brings archived messages', async () => {
  const { ann, id } = await newHistory(9);
  const other = await newHistory(3);
  await repo.addMembers(other.ann, other.id, [ann]).catch(() => undefined);
  const ask = async () => {
    const answers = [];
    for (const cursor of [0, 1, 4, 8, 9, 20]) {
      const { conversations, hasMore } = await repo.sync(ann, { [id]: cursor }, { limitPerConversation: 5 });
      answers.push({ conversations, hasMore });
    }
    return answers;
  };
  const before = await ask();
  await repo.moveOut(id, 3);
  assert.deepEqual(await ask(), before);
});

test('a member who reads archived messages is told to all members who may know it', async () => {
  const { ann, bob, id } = await newHistory(4);
  await repo.moveOut(id);
  const carl = (await repo.newUsers(1))[0] ?? '';
  await repo.databases.users.execute(
    'INSERT INTO conversation_members (user_id, conversation_id, role, joined_at) VALUES (?)',
    [[Number(carl), Number(id), 1, 1]],
  );
  const { unreadCount } = await repo.readTo(carl, id, 3);
  assert.equal(unreadCount, 1);
  const [read] = (await repo.events()).filter(
    (event) => event.type === 'message.read' && event.actor_id === carl,
  );
  assert.deepEqual(read?.sender_ids, [ann, bob].sort());
});

test('many messages are archived into several row groups and months, and any page of them is the same', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  const start = Date.UTC(2024, 0, 20);
  for (let part = 0; part < 3; part++) {
    await repo.messages.importMessages({
      conversationId: id,
      source: 'log',
      messages: Array.from({ length: 1000 }, (_, n) => ({
        sourceId: `${part}/${n}`,
        senderId: n % 3 === 0 ? ann : bob,
        messageType: 1,
        content: `line ${part * 1000 + n} of a log`,
        mentions: [],
        createdAt: start + (part * 1000 + n) * 1_000_000,
      })),
    });
  }
  const pages = async () => {
    const all = [];
    for (const bound of [
      { beforeSeqId: 1001 },
      { afterSeqId: 990 },
      { aroundSeqId: 1037 },
      { beforeSeqId: 30 },
      {},
    ]) {
      all.push(await repo.messages.getMessages({ userId: ann, conversationId: id, limit: 50, ...bound }));
    }
    return all;
  };
  const before = await pages();
  const { messages, objects } = await repo.archiveOf(id, 200);
  assert.deepEqual([messages, objects], [2800, 2]);
  await repo.deleteArchived(id);
  assert.equal((await repo.rowsOf(id)).length, 200);
  assert.deepEqual(await pages(), before);
  const repeated = await repo.messages.importMessages({
    conversationId: id,
    source: 'log',
    messages: [
      {
        sourceId: '1/5',
        senderId: bob,
        messageType: 1,
        content: 'x',
        mentions: [],
        createdAt: start + 1005 * 1_000_000,
      },
    ],
  });
  assert.deepEqual(
    repeated.results.map(({ seqId, duplicate }) => [seqId, duplicate]),
    [[1006, true]],
  );
});

test('while the store or its marker is away, archived messages are UNAVAILABLE, and the others are read', async () => {
  const { ann, id, ids } = await newHistory(8);
  await repo.moveOut(id, 3);
  const read = (beforeSeqId: number) =>
    repo.messages.getMessages({ userId: ann, conversationId: id, beforeSeqId, limit: 2 });
  await read(4);
  const marker = join(repo.coldFolder, markerKey);
  for (const path of [marker, repo.coldFolder]) {
    await rename(path, `${path}-away`);
    const isRefused = () => read(4).then(() => false, refusal('UNAVAILABLE'));
    await eventually(isRefused);
    await refusedWith(repo.sync(ann, { [id]: 0 }), 'UNAVAILABLE');
    await refusedWith(
      repo.messages.getMessage({ userId: ann, conversationId: id, messageId: ids[0] ?? 0 }),
      'UNAVAILABLE',
    );
    await refusedWith(repo.archiveOf(id), 'UNAVAILABLE');
    const { messages } = await read(9);
    assert.deepEqual(
      messages.map(({ seqId }) => seqId),
      [7, 8],
    );
    await rename(`${path}-away`, path);
    await eventually(async () => !(await isRefused()));
    assert.equal((await read(4)).messages.length, 2);
  }
});

test('a retry of an archived message is answered with the first one', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  const first = repo.newMessage(id, ann);
  const [saved] = await repo.save(first);
  await repo.say(id, ann);
  await repo.moveOut(id);
  const [again] = await repo.save({ ...first, sourceOffset: first.sourceOffset + 1000 });
  assert.deepEqual(again, { ...saved, duplicate: true });
  assert.equal((await repo.save(first))[0]?.duplicate, false, 'a redelivered record is delivered again');
  assert.equal((await repo.rowsOf(id)).length, 1);
});
