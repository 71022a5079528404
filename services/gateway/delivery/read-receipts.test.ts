import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReadReceipts, spacingMs } from './read-receipts.ts';

function receiptsSent(t: { mock: { timers: { enable(o: { apis: ['setTimeout'] }): void } } }) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sent: string[] = [];
  const receipts = createReadReceipts(({ conversationId, readerId, seqId, userIds }) =>
    sent.push(`${readerId} read ${conversationId} to ${seqId}: ${[...userIds].join(' ')}`),
  );
  return { receipts, sent };
}

test('the first receipt is sent at once', (t) => {
  const { receipts, sent } = receiptsSent(t);
  receipts.notify('c', 'ann', 3, ['bob']);
  receipts.notify('d', 'ann', 1, ['bob']);
  receipts.notify('c', 'cid', 2, ['bob']);
  receipts.notify('e', 'ann', 2, []);
  assert.deepEqual(sent, ['ann read c to 3: bob', 'ann read d to 1: bob', 'cid read c to 2: bob']);
});

test('receipts that follow soon are merged into one, which has the furthest position', (t) => {
  const { receipts, sent } = receiptsSent(t);
  receipts.notify('c', 'ann', 3, ['bob']);
  sent.length = 0;
  receipts.notify('c', 'ann', 5, ['bob', 'cid']);
  receipts.notify('c', 'ann', 4, ['dan']);
  assert.deepEqual(sent, []);
  t.mock.timers.tick(spacingMs);
  assert.deepEqual(sent, ['ann read c to 5: bob cid dan']);
  receipts.notify('c', 'ann', 6, ['bob']);
  t.mock.timers.tick(spacingMs);
  assert.deepEqual(sent, ['ann read c to 5: bob cid dan', 'ann read c to 6: bob']);
});

test('after a pause the next receipt is sent at once again', (t) => {
  const { receipts, sent } = receiptsSent(t);
  receipts.notify('c', 'ann', 3, ['bob']);
  t.mock.timers.tick(spacingMs);
  receipts.notify('c', 'ann', 4, ['bob']);
  assert.deepEqual(sent, ['ann read c to 3: bob', 'ann read c to 4: bob']);
});
