import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { RequestState } from '../../../../lib/gen/im_repo/v1/idempotency.ts';
import { createIdempotencyHandlers } from '../../../../services/repo/once/idempotency.ts';
import { createSequenceHandlers } from '../../../../services/repo/storage/sequences.ts';
import { startSweeper } from '../../../../services/repo/sweeper.ts';
import { atEnd } from '../../../support/at-end.ts';
import { eventually } from '../../../support/eventually.ts';
import { refusal } from '../../../support/refused-with.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';

const { REQUEST_STATE_NEW, REQUEST_STATE_IN_PROGRESS, REQUEST_STATE_DONE, REQUEST_STATE_MISMATCH } =
  RequestState;

const scope = '7 POST /conversations';
const { parts } = await openRepoParts();
const idempotency = createIdempotencyHandlers(parts);
const sequences = createSequenceHandlers(parts);
const sweeper = startSweeper(parts);
atEnd(sweeper.stop);
const bodyHash = (body: string): Buffer => createHash('sha256').update(body).digest();

const begin = (key: string, body = 'body', leaseMs = 60_000) =>
  idempotency.beginRequest({ scope, key, requestHash: bodyHash(body), leaseMs });

const complete = (key: string, claim: string, responseBody: string) =>
  idempotency.completeRequest({ scope, key, claim, statusCode: 201, responseBody });

test('a repeat waits while the first is at it, and then gets its answer', async () => {
  const key = randomUUID();
  const first = await begin(key);
  assert.equal(first.state, REQUEST_STATE_NEW);
  assert.ok(Number(first.resourceId) > 0);
  assert.equal((await begin(key)).state, REQUEST_STATE_IN_PROGRESS);
  await complete(key, first.claim, '{"a":"é😀"}');
  const repeat = await begin(key);
  assert.deepEqual(repeat, {
    state: REQUEST_STATE_DONE,
    resourceId: first.resourceId,
    statusCode: 201,
    responseBody: '{"a":"é😀"}',
    claim: '',
  });
});

test('of concurrent requests with the same key, one claims it', async () => {
  const key = randomUUID();
  const all = await Promise.all(Array.from({ length: 20 }, () => begin(key)));
  assert.equal(all.filter(({ state }) => state === REQUEST_STATE_NEW).length, 1);
  assert.equal(all.filter(({ state }) => state === REQUEST_STATE_IN_PROGRESS).length, 19);
  assert.equal(new Set(all.map(({ resourceId }) => resourceId)).size, 1);
});

test('the same key with another body is a mismatch; in another scope it is another key', async () => {
  const key = randomUUID();
  await begin(key);
  assert.equal((await begin(key, 'another')).state, REQUEST_STATE_MISMATCH);
  const { state } = await idempotency.beginRequest({
    scope: '8 POST /conversations',
    key,
    requestHash: bodyHash('x'),
    leaseMs: 1000,
  });
  assert.equal(state, REQUEST_STATE_NEW);
  const shifted = await idempotency.beginRequest({
    scope: `${scope}${key[0]}`,
    key: key.slice(1),
    requestHash: bodyHash('x'),
    leaseMs: 1000,
  });
  assert.equal(shifted.state, REQUEST_STATE_NEW);
});

test('a released or expired claim can be claimed again, with the same resource id', async () => {
  const key = randomUUID();
  const first = await begin(key);
  await idempotency.abandonRequest({ scope, key, claim: first.claim });
  const second = await begin(key, 'body', 1);
  assert.deepEqual([second.state, second.resourceId], [REQUEST_STATE_NEW, first.resourceId]);
  assert.notEqual(second.claim, first.claim);
  let third = second;
  await eventually(async () => {
    third = await begin(key);
    return third.state === REQUEST_STATE_NEW;
  });
  assert.equal(third.resourceId, first.resourceId);

  await complete(key, second.claim, 'too late');
  await idempotency.abandonRequest({ scope, key, claim: first.claim });
  assert.equal((await begin(key)).state, REQUEST_STATE_IN_PROGRESS);
  await complete(key, third.claim, 'in time');
  await complete(key, third.claim, 'again');
  assert.equal((await begin(key)).responseBody, 'in time');
});

test('after a day a key is unused again, and the sweeper deletes its row', async () => {
  const [used, left] = [randomUUID(), randomUUID()];
  const first = await begin(used);
  await complete(used, first.claim, 'old');
  await begin(left);
  const kept = await begin(randomUUID());
  await parts.databases.users.execute('UPDATE idempotency_keys SET expires_at = 1 WHERE resource_id <> ?', [
    Number(kept.resourceId),
  ]);
  const again = await begin(used, 'another body');
  assert.equal(again.state, REQUEST_STATE_NEW);
  assert.notEqual(again.resourceId, first.resourceId);

  await sweeper.sweep();
  const rows = await parts.databases.users.query<{ id: number }>(
    'SELECT resource_id AS id FROM idempotency_keys ORDER BY id',
  );
  assert.deepEqual(
    rows.map(({ id }) => String(id)),
    [kept.resourceId, again.resourceId],
  );
});

test('the sweeper keeps sessions as long as an access token of theirs may live', async () => {
  const now = Date.now();
  const session = (id: string, expiresAt: number, revokedAt: number | null) => [
    id,
    7,
    Buffer.alloc(32),
    '',
    '',
    0,
    0,
    expiresAt,
    revokedAt,
  ];
  await parts.databases.users.execute(
    `INSERT INTO sessions (id, user_id, refresh_token_hash, user_agent, address, created_at, last_used_at,
       expires_at, revoked_at) VALUES ?`,
    [
      [
        session('live', now + 60_000, null),
        session('revoked-now', now + 60_000, now - 16 * 60_000),
        session('revoked-long', now + 60_000, now - 7_200_000),
        session('expired-now', now - 16 * 60_000, null),
        session('expired-long', now - 7_200_000, null),
      ],
    ],
  );
  await sweeper.sweep();
  const rows = await parts.databases.users.query<{ id: string }>('SELECT id FROM sessions ORDER BY id');
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['expired-now', 'live', 'revoked-now'],
  );
});

test('a client message id names one stored message, byte for byte', async () => {
  await parts.databases.messagesOf('5').execute(
    `INSERT INTO messages (conversation_id, seq_id, id, sender_id, message_type, content, client_msg_id,
         source_partition, source_offset, created_at)
       VALUES (?)`,
    [[5, 3, 77, 9, 1, 'hi', Buffer.from('Key-é '), 0, 0, 1234]],
  );
  const check = (clientMsgId: string, conversationId = '5', senderId = '9') =>
    idempotency.checkMessageIdempotency({ conversationId, senderId, clientMsgId });
  assert.deepEqual(await check('Key-é '), { exists: true, messageId: 77, seqId: 3, createdAt: 1234 });
  const none = { exists: false, messageId: 0, seqId: 0, createdAt: 0 };
  for (const other of ['key-é ', 'Key-é', 'Key-e ', '']) assert.deepEqual(await check(other), none, other);
  assert.deepEqual(await check('Key-é ', '6'), none);
  assert.deepEqual(await check('Key-é ', 'x'), none);
  assert.deepEqual(await check('Key-é ', '5', '8'), none);
});

test('a sequence gives each number once, to however many ask', async () => {
  const name = `orders-${randomUUID()}`;
  assert.deepEqual(await sequences.getNextSeq({ name, count: 0 }), { first: 1, last: 1 });
  const taken = await Promise.all(
    Array.from({ length: 30 }, (_, n) => sequences.getNextSeq({ name, count: n + 1 })),
  );
  const numbers = taken.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, n) => first + n),
  );
  assert.equal(numbers.length, 465);
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: 465 }, (_, n) => n + 2),
  );
  assert.deepEqual(
    await sequences.getNextSeq({ name: `${name} `, count: 2 }),
    { first: 1, last: 2 },
    'names are bytes',
  );
});

test('a sequence without a name, or too much at once, is refused', async () => {
  for (const [name, count] of [
    ['', 1],
    ['x'.repeat(129), 1],
    ['x', -1],
    ['x', 10_001],
  ] as const) {
    await assert.rejects(sequences.getNextSeq({ name, count }), refusal('INVALID_ARGUMENT'));
  }
});
