import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { messageType } from '../../../../lib/domain/enumerations.ts';
import type { UploadedFile } from '../../../../lib/gen/im_repo/v1/file.ts';
import { createUserClosing } from '../../../../services/repo/accounts/user-closing.ts';
import { fileProjections } from '../../../../services/repo/files/file-release.ts';
import { createUserProfiles } from '../../../../services/repo/users/user-profiles.ts';
import { createFileParts } from '../../../support/files/file-parts.ts';
import { createConversationParts } from '../../../support/repo/conversation-parts.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';

const { parts } = await openRepoParts({ layout: 'sharded' });
const repo = createConversationParts(parts);
const files = await createFileParts(parts);
const profiles = createUserProfiles(parts);

const contentOf = ({ url }: UploadedFile) => JSON.stringify({ url, name: 'a', size: 1, mime: 'a/b' });

async function send(conversationId: string, userId: string, file: UploadedFile) {
  const fields = { messageType: messageType.file, content: contentOf(file) };
  const [result] = await repo.save(repo.newMessage(conversationId, userId, fields));
  return result;
}

test('an unused file goes after a day, with its bytes; a sent one stays', async () => {
  const { users, id } = await newConversation();
  const [ann] = users;
  const [sent, unused] = [await files.upload(ann, randomBytes(10)), await files.upload(ann, randomBytes(10))];
  assert.equal((await send(id, ann, sent))?.error, 0);
  await files.sweep();
  assert.ok(await files.read(ann, unused.id), 'nothing goes before its time');

  await files.sweepLater();
  await assert.rejects(files.read(ann, unused.id), { code: 'NOT_FOUND' });
  await files.sweepLater();
  await files.sweepLater();
  assert.ok(await files.read(ann, sent.id));
  assert.equal((await files.stored()).length, 1);
  assert.equal(await usage(ann), 10);
});

test('a message that was being stored while its file was hidden keeps the file', async () => {
  const { users, id } = await newConversation();
  const [ann] = users;
  const file = await files.upload(ann, randomBytes(10));
  await files.sweepLater();
  await assert.rejects(files.read(ann, file.id), { code: 'NOT_FOUND' });
  assert.notEqual((await send(id, ann, file))?.error, 0, 'a hidden file is not sent');
  const [owner, number] = file.id.split('-');
  await parts.databases
    .messagesOf(id)
    .execute('INSERT INTO file_references (conversation_id, seq_id, owner_id, file_id) VALUES (?)', [
      [Number(id), 1, Number(owner), Number(number)],
    ]);
  await files.sweepLater();
  assert.ok(await files.read(ann, file.id));
});

test('the same bytes are stored once, and go with the last file that has them', async () => {
  const before = await files.stored();
  const [ann, bob] = await repo.newUsers(2);
  const bytes = randomBytes(100);
  const [first, second] = await Promise.all([files.upload(ann ?? '', bytes), files.upload(bob ?? '', bytes)]);
  assert.equal((await files.stored()).length, before.length + 1);
  await profiles.updateUser({ userId: bob ?? '', avatarUrl: pathOf(second), displayName: undefined });
  for (let round = 0; round < 3; round++) await files.sweepLater();
  await assert.rejects(files.read(ann ?? '', first.id), { code: 'NOT_FOUND' });
  assert.deepEqual(await files.read(bob ?? '', second.id), bytes);
  await profiles.updateUser({ userId: bob ?? '', avatarUrl: '', displayName: undefined });
  for (let round = 0; round < 3; round++) await files.sweepLater();
  assert.deepEqual(await files.stored(), before);
});

test('an upload of bytes that are just being deleted waits, and stores them again', async () => {
  const [ann = ''] = await repo.newUsers(1);
  const bytes = randomBytes(50);
  const sha256 = hash('sha256', bytes, 'buffer');
  await parts.databases.directory.execute(
    'INSERT INTO file_contents (sha256, check_at, deleting) VALUES (?, 1, TRUE)',
    [sha256],
  );
  const uploading = files.upload(ann, bytes);
  await files.sweep();
  const file = await uploading;
  assert.deepEqual(await files.read(ann, file.id), bytes);
});

test('the quota is exact, also for uploads at the same time', async () => {
  const [ann = ''] = await repo.newUsers(1);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 5 }, () => files.upload(ann, randomBytes(40), { quotaBytes: 100 })),
  );
  const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  assert.deepEqual(
    refused.map(({ reason }) => reason.code),
    Array(3).fill('QUOTA_EXCEEDED'),
  );
  assert.equal(await usage(ann), 80);
});

test('an upload that breaks off or is too large leaves nothing', async () => {
  const [ann = ''] = await repo.newUsers(1);
  const before = await files.stored();
  const broken = files.uploadFile(
    (async function* () {
      yield files.begin(ann);
      yield files.chunk(randomBytes(1000));
      throw new Error('the client is gone');
    })(),
  );
  await assert.rejects(broken, /gone/);
  const cut = files.uploadFile(
    (async function* () {
      yield files.begin(ann);
      yield files.chunk(randomBytes(1000));
    })(),
  );
  await assert.rejects(cut, { code: 'INVALID_ARGUMENT' });
  await assert.rejects(files.upload(ann, randomBytes(101), { maxBytes: 100 }), { code: 'PAYLOAD_TOO_LARGE' });
  assert.deepEqual([await files.stored(), files.uploadFolder(), await usage(ann)], [before, [], 0]);
});

test('the picture of a group keeps its file, and gives it up with the group', async () => {
  const { users, id } = await newConversation();
  const [ann, bob] = users;
  const [first, second] = [
    await files.upload(ann, randomBytes(10)),
    await files.upload(ann, randomBytes(10)),
  ];
  for (const { url } of [first, second]) {
    await repo.conversations.updateConversation({
      conversationId: id,
      actorId: ann,
      avatarUrl: url.split('?')[0],
    });
  }
  const stranger = (await repo.newUsers(1))[0] ?? '';
  await assert.rejects(files.read(stranger, first.id), { code: 'PERMISSION_DENIED' });
  assert.ok(await files.read(stranger, second.id), 'pictures are for everybody');
  await writeProjections();
  for (let round = 0; round < 2; round++) await files.sweepLater();
  await assert.rejects(files.read(ann, first.id), { code: 'NOT_FOUND' });
  assert.ok(await files.read(bob, second.id));
  await repo.conversations.dissolveConversation({ conversationId: id, actorId: ann, operationId: 'x' });
  await writeProjections();
  await files.sweepLater();
  await assert.rejects(files.read(ann, second.id), { code: 'NOT_FOUND' });
});

test('a closed account gives up the files that no message shows', async () => {
  const { users, id } = await newConversation();
  const [ann, bob] = users;
  const [sent, unused] = [await files.upload(ann, randomBytes(10)), await files.upload(ann, randomBytes(10))];
  await send(id, ann, sent);
  await createUserClosing(parts).closeAccount({ userId: ann, idleGuestBefore: 0 });
  await assert.rejects(files.upload(ann, randomBytes(10)), { code: 'USER_NOT_FOUND' });
  await files.sweep();
  await assert.rejects(files.read(ann, unused.id), { code: 'NOT_FOUND' });
  assert.ok(await files.read(bob, sent.id));
  await repo.messages.redactMessages({ userId: ann, cursor: '', limit: 0 });
  await writeProjections();
  await assert.rejects(files.read(bob, sent.id), { code: 'NOT_FOUND' });
});

test('a batch without files costs no further query, and one with files a few', async () => {
  const { users, id } = await newConversation();
  const file = await files.upload(users[0], randomBytes(10));
  const { results } = await repo.messages.saveMessages({
    messages: [
      repo.newMessage(id, users[0]),
      repo.newMessage(id, users[0], { messageType: messageType.file, content: contentOf(file) }),
      repo.newMessage(id, users[1], {
        messageType: messageType.file,
        content: contentOf({ ...file, url: '/files/1-2' }),
      }),
    ],
    recipientsOf: [],
  });
  assert.deepEqual(
    results.map(({ error }) => error > 0),
    [false, false, true],
  );
  assert.deepEqual(
    results.map(({ content }) => content !== undefined),
    [false, true, false],
  );
  assert.equal(JSON.parse(results[1]?.content ?? '{}').url, file.url);
});

async function newConversation(): Promise<{ users: [string, string]; id: string }> {
  const users = (await repo.newUsers(2)) as [string, string];
  const { conversation } = await repo.conversations.createConversation({
    type: 2,
    name: 'g',
    creatorId: users[0],
    initialMemberIds: [users[1]],
    avatarUrl: '',
    description: '',
    conversationId: '',
    activate: true,
    maxMembers: 0,
    idOnly: false,
    textsId: '',
    friendRequestId: '',
  });
  return { users, id: conversation?.conversation?.id ?? '' };
}

const pathOf = ({ url }: UploadedFile): string => url.split('?')[0] ?? '';

async function usage(userId: string): Promise<number> {
  const [row] = await parts.databases.users.query<{ bytes: number }>(
    'SELECT bytes FROM file_usage WHERE user_id = ?',
    [Number(userId)],
  );
  return row?.bytes ?? 0;
}

/** Writes what was noted, as the worker does. */
async function writeProjections(): Promise<void> {
  const writers = fileProjections(parts.databases, parts.releaseFile);
  for (const database of parts.databases.all) {
    const rows = await database.query<{ kind: string; subject: string }>(
      'SELECT kind, subject FROM pending_projections',
    );
    for (const { kind, subject } of rows) await writers[kind]?.(subject);
  }
}
