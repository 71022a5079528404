import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '../../../../lib/errors.ts';
import type { ImportedMessage } from '../../../../lib/gen/im_repo/v1/message.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

const source = 'old chat';
const start = Date.UTC(2020, 0, 1);
const line = (n: number, senderId: string, fields: Partial<ImportedMessage> = {}): ImportedMessage => ({
  sourceId: `line ${n}`,
  senderId,
  messageType: 1,
  content: `said ${n}`,
  mentions: [],
  createdAt: start + n,
  ...fields,
});
const importInto = (conversationId: string, ...messages: ImportedMessage[]) =>
  repo.messages.importMessages({ conversationId, source, messages });

async function history(userId: string, conversationId: string) {
  const { messages } = await repo.messages.getMessages({ userId, conversationId, limit: 200 });
  return messages;
}

test('imported messages keep their senders and times, and the senders need not be members', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [former = ''] = await repo.newUsers(1);
  const [ann, bob] = users;
  const before = (await repo.eventsOf(id)).length;
  const { results } = await importInto(
    id,
    line(1, ann),
    line(2, former),
    line(2, bob, { sourceId: 'same time', replyToSeqId: 1 }),
  );
  assert.deepEqual(
    results.map(({ seqId, duplicate, createdAt }) => [seqId, duplicate, createdAt - start]),
    [
      [1, false, 1],
      [2, false, 2],
      [3, false, 2],
    ],
  );
  const messages = await history(ann, id);
  assert.deepEqual(
    messages.map(({ seqId, sender, content, createdAt }) => [seqId, sender?.id, content, createdAt - start]),
    [
      [1, ann, 'said 1', 1],
      [2, former, 'said 2', 2],
      [3, bob, 'said 2', 2],
    ],
  );
  const { conversation } = await repo.see(ann, id);
  assert.equal(conversation?.lastSeqId, 3);
  assert.equal((await repo.eventsOf(id)).length, before);
});

test('a repeated import stores no message twice, and continues after the stored ones', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  const first = await importInto(id, line(1, ann), line(2, bob));
  const second = await importInto(id, line(1, ann), line(2, bob), line(3, ann));
  assert.deepEqual(
    second.results.map(({ seqId, duplicate }) => [seqId, duplicate]),
    [
      [1, true],
      [2, true],
      [3, false],
    ],
  );
  assert.deepEqual(
    second.results.slice(0, 2).map(({ messageId }) => messageId),
    first.results.map(({ messageId }) => messageId),
  );
  // Another source may use the same names.
  const other = await repo.messages.importMessages({
    conversationId: id,
    source: 'another',
    messages: [line(4, ann, { sourceId: 'line 1' })],
  });
  assert.deepEqual(
    other.results.map(({ seqId, duplicate }) => [seqId, duplicate]),
    [[4, false]],
  );
});

test('two concurrent imports leave no gap, and store each message once', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const lines = Array.from({ length: 50 }, (_, n) => line(n, users[n % 2] ?? ''));
  await Promise.all([importInto(id, ...lines), importInto(id, ...lines)]);
  assert.deepEqual(
    (await history(users[0], id)).map(({ seqId, content }) => [seqId, content]),
    lines.map(({ content }, n) => [n + 1, content]),
  );
});

test('messages sent after an import get the next seq ids, and then nothing more can be imported', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  await importInto(id, line(1, ann));
  await repo.say(id, ann, 'now');
  assert.deepEqual(
    (await history(ann, id)).map(({ seqId }) => seqId),
    [1, 2],
  );
  await refusedWith(importInto(id, line(2, ann)), 'PERMISSION_DENIED');
});

test('an invalid message is refused, and no message of its call is stored', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  const bad: [ImportedMessage[], Code][] = [
    [[line(2, ann), line(1, ann)], 'INVALID_ARGUMENT'],
    [[line(1, ann), line(2, ann, { sourceId: 'line 1' })], 'INVALID_ARGUMENT'],
    [[line(1, ann, { sourceId: '' })], 'INVALID_ARGUMENT'],
    [[line(1, ann, { createdAt: Date.now() + 3_600_000 })], 'INVALID_ARGUMENT'],
    [[line(1, ann), line(2, ann, { replyToSeqId: 2 })], 'INVALID_ARGUMENT'],
    [[line(1, ann, { content: '' })], 'INVALID_ARGUMENT'],
    [[line(1, ann, { content: 'x'.repeat(4001) })], 'MESSAGE_TOO_LARGE'],
    [[line(1, ann), line(2, '12345')], 'USER_NOT_FOUND'],
    [Array.from({ length: 1001 }, (_, n) => line(n, ann)), 'INVALID_ARGUMENT'],
  ];
  for (const [lines, code] of bad) await refusedWith(importInto(id, ...lines), code);
  await refusedWith(importInto('12345', line(1, ann)), 'CONVERSATION_NOT_FOUND');
  assert.deepEqual(await history(ann, id), []);
});

test('imported messages are found when their author is erased', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [former = ''] = await repo.newUsers(1);
  await importInto(id, line(1, former), line(2, users[0]));
  await repo.databases.users.execute('UPDATE users SET status = 2 WHERE id = ?', [Number(former)]);
  const { redacted } = await repo.messages.redactMessages({ userId: former, cursor: '', limit: 100 });
  assert.equal(redacted, 1);
  assert.deepEqual(
    (await history(users[0], id)).map(({ deleted }) => deleted),
    [true, false],
  );
});
