import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { openArchiveRepo } from '../../../support/archive/archive-parts.ts';

const { repo } = await openArchiveRepo();
const hour = 3_600_000;

async function newArchive(count: number) {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  const ids: number[] = [];
  for (let n = 1; n <= count; n++) ids.push(await repo.say(id, n % 2 === 0 ? ann : bob, `text ${n}`));
  await repo.moveOut(id);
  return { ann, bob, id, ids };
}

/** What is in all objects of a conversation's bucket, read by the library alone. */
async function objectsOf(conversationId: string): Promise<Record<string, unknown>[]> {
  const bucket = String(repo.bucketOf(conversationId)).padStart(4, '0');
  const rows: Record<string, unknown>[] = [];
  for (const path of globSync(join(repo.coldFolder, `v1/bucket=${bucket}/**/*.parquet`))) {
    const file = await asyncBufferFromFile(path);
    rows.push(
      ...(await parquetReadObjects({ file, compressors: { ZSTD: (bytes) => zstdDecompressSync(bytes) } })),
    );
  }
  return rows.filter(({ conversation_id }) => conversation_id === BigInt(conversationId));
}

const contentsIn = async (conversationId: string) =>
  (await objectsOf(conversationId)).map(({ content }) => content);

async function messageOf(userId: string, conversationId: string, messageId: number) {
  const { message } = await repo.messages.getMessage({ userId, conversationId, messageId });
  if (!message) throw new Error('there is no message');
  return message;
}

async function history(userId: string, conversationId: string) {
  const { messages } = await repo.messages.getMessages({ userId, conversationId, limit: 200 });
  return messages.map(({ seqId, content, deleted }) => [seqId, deleted ? 'recalled' : content]);
}

test('an archived message that is recalled is empty at once, and in its object when that is rewritten', async () => {
  const { ann, id, ids } = await newArchive(4);
  const { conversations } = await repo.sync(ann, { [id]: 4 });
  assert.equal(conversations[0]?.conversation, undefined);
  const { seqId, deleted } = await repo.messages.deleteMessage({
    actorId: '',
    conversationId: id,
    messageId: ids[1] ?? 0,
    recallWindowMs: hour,
  });
  assert.deepEqual([seqId, deleted], [2, true]);
  const expected = [
    [1, 'text 1'],
    [2, 'recalled'],
    [3, 'text 3'],
    [4, 'text 4'],
  ];
  assert.deepEqual(await history(ann, id), expected);
  assert.deepEqual(await contentsIn(id), ['text 1', 'text 2', 'text 3']);
  assert.deepEqual(await repo.rowsOf(id), [2, 4]);

  assert.equal(await repo.compact({ conversationId: id }), 1);
  assert.deepEqual(await contentsIn(id), ['text 1', '', 'text 3']);
  assert.deepEqual(await history(ann, id), expected);
  await repo.deleteArchived(id);
  assert.deepEqual(await repo.rowsOf(id), [4]);
  assert.deepEqual(await history(ann, id), expected);
  assert.equal((await repo.see(ann, id)).unreadCount, 0);
  assert.equal(await repo.compact({ conversationId: id }), 0);

  const { changes } = await repo.sync(ann, { [id]: 4 }, { changes: { [id]: 0 } });
  assert.deepEqual(
    changes.map(({ changeSeq, message }) => [changeSeq, message?.seqId, message?.deleted]),
    [[1, 2, true]],
  );
});

test('an archived message can be edited, pinned and reacted to, and stays in the database while it is', async () => {
  const { ann, bob, id, ids } = await newArchive(6);
  const [, second = 0, third = 0, fourth = 0] = ids;
  await repo.messages.editMessage({
    actorId: ann,
    conversationId: id,
    messageId: second,
    content: 'edited',
    editWindowMs: hour,
  });
  await repo.messages.setPinned({ actorId: ann, conversationId: id, messageId: third, pinned: true });
  await repo.messages.setReaction({
    actorId: bob,
    conversationId: id,
    messageId: fourth,
    emoji: '👍',
    on: true,
  });
  const shown = async () => {
    const { messages } = await repo.messages.getMessages({ userId: ann, conversationId: id, limit: 200 });
    const pins = await repo.messages.getPinnedMessages({ userId: ann, conversationId: id });
    const own = await repo.messages.getOwnReactions({
      userId: bob,
      conversationId: id,
      fromSeqId: 1,
      toSeqId: 9,
    });
    const one = await repo.messages.getReactions({
      userId: ann,
      conversationId: id,
      messageId: fourth,
      limit: 0,
      offset: 0,
    });
    return { messages, pins, own, one };
  };
  const before = await shown();
  assert.deepEqual(
    before.messages.map(({ content, pinned, reactions }) => [content, pinned, reactions.length]),
    [
      ['text 1', false, 0],
      ['edited', false, 0],
      ['text 3', true, 0],
      ['text 4', false, 1],
      ['text 5', false, 0],
      ['text 6', false, 0],
    ],
  );
  assert.equal(await repo.compact({ conversationId: id }), 1);
  assert.deepEqual(await shown(), before);
  assert.deepEqual(await repo.deleteArchived(id), { deleted: 1, kept: 2 });
  assert.deepEqual(await shown(), before);
  assert.deepEqual(await repo.rowsOf(id), [3, 4, 6]);
  assert.deepEqual((await contentsIn(id)).slice(1, 2), ['edited']);

  await repo.messages.setPinned({ actorId: ann, conversationId: id, messageId: third, pinned: false });
  await repo.messages.editMessage({
    actorId: ann,
    conversationId: id,
    messageId: second,
    content: 'edited again',
    editWindowMs: hour,
  });
  assert.equal((await messageOf(ann, id, second)).content, 'edited again');
  await repo.compact({ conversationId: id });
  await repo.deleteArchived(id);
  assert.deepEqual(await repo.rowsOf(id), [4, 6]);
  assert.equal((await messageOf(ann, id, second)).content, 'edited again');
});

test('a change between archiving and deletion is kept', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  const first = await repo.say(id, ann, 'first');
  await repo.say(id, ann, 'second');
  await repo.say(id, ann, 'third');
  await repo.archiveOf(id);
  await repo.messages.editMessage({
    actorId: ann,
    conversationId: id,
    messageId: first,
    content: 'edited',
    editWindowMs: hour,
  });
  assert.deepEqual(await repo.deleteArchived(id), { deleted: 1, kept: 1 });
  const expected = [
    [1, 'edited'],
    [2, 'second'],
    [3, 'third'],
  ];
  assert.deepEqual(await history(ann, id), expected);
  await repo.compact();
  await repo.deleteArchived(id);
  assert.deepEqual(await repo.rowsOf(id), [3]);
  assert.deepEqual(await history(ann, id), expected);
});

test('the archived messages of an erased user become empty, and leave the objects when these are rewritten', async () => {
  const { ann, bob, id } = await newArchive(7);
  const other = await newArchive(3);
  await repo.say(id, ann, 'still in the database');
  await repo.databases.users.execute('UPDATE users SET status = 2 WHERE id = ?', [Number(ann)]);
  let cursor = '';
  let redacted = 0;
  do {
    const page = await repo.messages.redactMessages({ userId: ann, cursor, limit: 2 });
    redacted += page.redacted;
    cursor = page.nextCursor;
  } while (cursor !== '');
  assert.equal(redacted, 4);
  const expected = [1, 2, 3, 4, 5, 6, 7, 8].map((seqId) => [
    seqId,
    seqId % 2 === 0 ? 'recalled' : `text ${seqId}`,
  ]);
  assert.deepEqual(await history(bob, id), expected);
  const pointers = await repo.databases.users.query('SELECT 1 FROM user_read_pointers WHERE user_id = ?', [
    Number(ann),
  ]);
  assert.equal(pointers.length, 0);

  assert.equal(await repo.compact({ userId: other.ann }), 0);
  assert.equal(await repo.compact({ userId: ann }), 1);
  assert.deepEqual(await contentsIn(id), ['text 1', '', 'text 3', '', 'text 5', '']);
  await repo.deleteArchived();
  assert.deepEqual(await history(bob, id), expected);
  const files = globSync(join(repo.coldFolder, 'v1/**/*.parquet'));
  const texts = await Promise.all(files.map((path) => readFile(path, 'latin1')));
  assert.ok(texts.length > 0);
});

test('the objects are compared with the database', async () => {
  const faults: string[] = [];
  let afterObjectId = '';
  let objects = 0;
  do {
    const part = await repo.archive.verifyArchive({ afterObjectId });
    faults.push(...part.faults);
    objects += part.objects;
    afterObjectId = part.nextAfterObjectId;
  } while (afterObjectId !== '');
  assert.deepEqual(faults, []);
  assert.ok(objects > 0);
});
