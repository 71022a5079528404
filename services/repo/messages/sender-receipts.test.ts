import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recipients } from '../../../lib/gen/im_repo/v1/message.ts';
import { createLogger, type Logger } from '../../../lib/log.ts';
import type { ReceiptAudience } from '../receipts/receipt-audience.ts';
import type { Database } from '../storage/database.ts';
import { createSenderReceipts } from './sender-receipts.ts';

const log = createLogger('test', 'fatal');
const database = {} as Database;
const read = { index: 3, conversationId: 5, readerId: 1, from: 0, to: 2, single: false };
const shards = [{ database, reads: [{ ...read, senderIds: new Set([7]) }] }];
const reading = Promise.resolve({ read: async () => new Map<string, never>() });
const never = () => new Promise<never>(() => {});
const receiptsOf = (of: ReceiptAudience['of']) => createSenderReceipts({ receipts: { of }, log });

test('the users who get a read receipt for a sent message are named by its index', async () => {
  const receipts = receiptsOf(async (reads) => reads.map(({ otherIds }) => otherIds));
  assert.deepEqual([...(await receipts.of(shards, Promise.resolve([]), reading))], [[3, ['7']]]);
});

test('if the lookup fails, nobody gets a receipt, and the stored batch is answered', async () => {
  const receipts = receiptsOf(() => Promise.reject(new Error('the database is away')));
  assert.deepEqual([...(await receipts.of(shards, Promise.resolve([]), reading))], []);
});

test('a slow lookup delays its batch by a short time only, and the number of running lookups is bounded', async () => {
  let asked = 0;
  const receipts = receiptsOf(() => {
    asked += 1;
    return never();
  });
  const batches = Array.from({ length: 10 }, () => receipts.of(shards, Promise.resolve([]), reading));
  for (const notified of await Promise.all(batches)) assert.deepEqual([...notified], []);
  assert.ok(asked < 10, `${asked} lookups run`);
});

test('a lookup that ends before the recipients are known logs no timeout', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const warnings: unknown[] = [];
  const noting = { ...log, warn: (...said: unknown[]) => void warnings.push(said) } as Logger;
  const of: ReceiptAudience['of'] = async (reads) => reads.map(({ otherIds }) => otherIds);
  const { promise, resolve } = Promise.withResolvers<Recipients[]>();
  const notified = createSenderReceipts({ receipts: { of }, log: noting }).of(shards, promise, reading);
  await new Promise((turn) => setImmediate(turn));
  resolve([]);
  assert.deepEqual([...(await notified)], [[3, ['7']]]);
  await new Promise((turn) => setImmediate(turn));
  t.mock.timers.tick(60_000);
  assert.deepEqual(warnings, []);
});
