import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createArchiveHandlers } from '../../../../services/repo/archive/archive.ts';
import type { ObjectStore } from '../../../../services/repo/store/store.ts';
import { openArchiveRepo } from '../../../support/archive/archive-parts.ts';
import { refusedWith } from '../../../support/refused-with.ts';

const { repo } = await openArchiveRepo();

async function newHistory(count: number) {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  for (let n = 1; n <= count; n++) await repo.say(id, n % 2 === 0 ? ann : bob, `text ${n}`);
  return { ann, bob, id };
}

/** The files with a conversation's bucket in their path. */
const filesOf = (conversationId: string) => {
  const bucket = String(repo.bucketOf(conversationId)).padStart(4, '0');
  return globSync(join(repo.coldFolder, `v1/bucket=${bucket}/**/*.parquet`));
};

const seqIds = async (userId: string, conversationId: string) => {
  const { messages } = await repo.messages.getMessages({ userId, conversationId, limit: 200 });
  return messages.map(({ seqId }) => seqId);
};

async function faultsOf(kind: string): Promise<number> {
  const metric = await repo.metrics.registry.getSingleMetric('gochat_cold_faults_total')?.get();
  return metric?.values.find(({ labels }) => labels.kind === kind)?.value ?? 0;
}

async function verified(): Promise<string[]> {
  const faults: string[] = [];
  let afterObjectId = '';
  do {
    const part = await repo.archive.verifyArchive({ afterObjectId });
    faults.push(...part.faults);
    afterObjectId = part.nextAfterObjectId;
  } while (afterObjectId !== '');
  return faults;
}

/** An object that is not what it was: pages with its messages are UNAVAILABLE, and never shorter. */
async function withBroken(kind: string, breakFile: (path: string) => Promise<void>) {
  const { ann, id } = await newHistory(6);
  await repo.moveOut(id, 3);
  const [path = ''] = filesOf(id);
  const bytes = await readFile(path);
  const before = await faultsOf(kind);
  await breakFile(path);
  await refusedWith(seqIds(ann, id), 'UNAVAILABLE');
  await refusedWith(repo.sync(ann, { [id]: 0 }), 'UNAVAILABLE');
  assert.ok((await faultsOf(kind)) > before);
  assert.match((await verified()).join(), /is missing|is damaged|is cut/);
  await repo.archiveOf(id);
  await refusedWith(
    repo
      .deleteArchived(id)
      .then(() => repo.messages.getMessageRange({ conversationId: id, firstSeqId: 1, lastSeqId: 6 })),
    'UNAVAILABLE',
  );
  await rm(path, { force: true });
  await writeFile(path, bytes);
  assert.deepEqual(await seqIds(ann, id), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(await verified(), []);
}

test('a missing object makes its messages unavailable, and is counted', () =>
  withBroken('missing', (path) => rm(path)));

test('a cut object makes its messages unavailable, and is counted', () =>
  withBroken('damaged', (path) => truncate(path, 100)));

test('an object with other bytes makes its messages unavailable, and is counted', () =>
  withBroken('damaged', async (path) => {
    const bytes = await readFile(path);
    bytes[50] = (bytes[50] ?? 0) ^ 1;
    await rm(path);
    await writeFile(path, bytes);
  }));

test('archived messages are not deleted while their object is not what it was', async () => {
  const { ann, id } = await newHistory(5);
  await repo.archiveOf(id);
  const [path = ''] = filesOf(id);
  await rename(path, `${path}.away`);
  await refusedWith(repo.deleteArchived(id), 'UNAVAILABLE');
  assert.deepEqual(await seqIds(ann, id), [1, 2, 3, 4, 5]);
  assert.equal((await repo.rowsOf(id)).length, 5);
  await rename(`${path}.away`, path);
  await repo.deleteArchived(id);
  assert.deepEqual(await repo.rowsOf(id), [5]);
});

/** The archive with a store that fails or lies in one operation. */
function archiveWith(parts: Partial<ObjectStore>) {
  const objects = { ...repo.coldStore.objects, ...parts };
  return createArchiveHandlers({
    ...repo,
    store: { ...repo.coldStore, objects },
    settings: { url: '', afterDays: 0, keepNewest: 0, graceHours: 0 },
  });
}

const died = async (): Promise<never> => {
  throw new Error('the process died');
};

/** Archiving that ends at some step, as if the process had died there, loses and doubles nothing. */
async function endsAt(t: TestContext, parts: Partial<ObjectStore>) {
  const { ann, id } = await newHistory(6);
  const before = await seqIds(ann, id);
  const request = { conversationIds: [id], before: Date.now() + 1, keepNewest: 2 };
  await assert.rejects(archiveWith(parts).archiveMessages(request));
  t.diagnostic(`objects after it: ${filesOf(id).length}`);
  assert.deepEqual(await seqIds(ann, id), before);
  assert.equal((await repo.rowsOf(id)).length, 6);
  assert.deepEqual(await repo.moveOut(id, 2), { archived: 4, deleted: 4, kept: 0 });
  assert.deepEqual(await seqIds(ann, id), before);
  assert.equal(filesOf(id).length, 1);
  assert.deepEqual(await verified(), []);
}

test('a mover that dies before it wrote its object is made up for', (t) => endsAt(t, { put: died }));

test('a mover that dies after it wrote its object is made up for', (t) =>
  endsAt(t, {
    put: async (...args) => {
      await repo.coldStore.objects.put(...args);
      return died();
    },
  }));

test('an object that does not read back as it was written is not published', (t) =>
  endsAt(t, {
    get: async (key, ...rest) =>
      key.startsWith('v1/') ? undefined : repo.coldStore.objects.get(key, ...rest),
  }));

test('a rewriting that dies is made up for, and the old object goes when it may', async () => {
  const { ann, id } = await newHistory(6);
  await repo.moveOut(id, 2);
  const { messages } = await repo.messages.getMessages({
    userId: ann,
    conversationId: id,
    limit: 3,
    beforeSeqId: 4,
  });
  await repo.messages.deleteMessage({
    actorId: '',
    conversationId: id,
    messageId: messages[1]?.id ?? 0,
    recallWindowMs: 0,
  });
  const request = { changedBefore: Date.now(), conversationId: id, userId: '', afterObjectId: '' };
  const read = async () => {
    const page = await repo.messages.getMessages({ userId: ann, conversationId: id, limit: 200 });
    return page.messages.map(({ seqId, content }) => [seqId, content]);
  };
  const before = await read();
  for (const parts of [{ put: died }, { delete: died }]) {
    await assert.rejects(archiveWith(parts).compactArchive(request));
    assert.deepEqual(await read(), before);
  }
  await repo.compact({ conversationId: id });
  await repo.archiveOf(id, 2);
  await repo.deleteArchived(id);
  assert.equal(filesOf(id).length, 1);
  assert.deepEqual(await read(), before);
  assert.deepEqual(await verified(), []);
});

test('several movers at once neither lose nor double a message', async () => {
  const { ann, id } = await newHistory(9);
  const request = { conversationIds: [id], before: Date.now() + 1, keepNewest: 2 };
  const done = await Promise.all(Array.from({ length: 4 }, () => repo.archive.archiveMessages(request)));
  assert.equal(
    done.reduce((sum, { messages }) => sum + messages, 0),
    7,
  );
  await Promise.all([repo.deleteArchived(id), repo.deleteArchived(id)]);
  assert.deepEqual(await repo.rowsOf(id), [8, 9]);
  assert.deepEqual(await seqIds(ann, id), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(await verified(), []);
});

test('messages that are sent and changed while a mover works are not lost', async () => {
  const { ann, bob, id } = await newHistory(20);
  const { messages } = await repo.messages.getMessages({ userId: ann, conversationId: id, limit: 200 });
  let moving = true;
  const move = async () => {
    while (moving) {
      await repo.archiveOf(id, 3);
      await repo.deleteArchived(id);
      await repo.compact({ conversationId: id });
    }
  };
  const moved = move();
  for (const { id: messageId, seqId, sender } of messages) {
    await repo.messages.editMessage({
      actorId: sender?.id ?? '',
      conversationId: id,
      messageId,
      content: `edited ${seqId}`,
      editWindowMs: 3_600_000,
    });
    await repo.say(id, bob, `new after ${seqId}`);
    const page = await repo.messages.getMessages({ userId: ann, conversationId: id, limit: 200 });
    assert.equal(page.messages.length, 20 + seqId);
    assert.equal(page.messages[seqId - 1]?.content, `edited ${seqId}`);
  }
  moving = false;
  await moved;
  await repo.moveOut(id, 3);
  const { messages: last } = await repo.messages.getMessages({ userId: ann, conversationId: id, limit: 200 });
  assert.deepEqual(
    last.slice(0, 20).map(({ content }) => content),
    messages.map(({ seqId }) => `edited ${seqId}`),
  );
  assert.deepEqual(await verified(), []);
});
