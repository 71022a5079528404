import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeqLedger, type SeqLedger } from './seq-ledger.ts';

const faults = (ledger: SeqLedger, head: number) => ({
  missing: ledger.missing(head),
  repeated: ledger.repeated(),
  echoed: ledger.echoed(),
  outOfOrder: ledger.outOfOrder(),
});
const clean = { missing: 0, repeated: 0, echoed: 0, outOfOrder: 0 };

test('seqs that come in order, some as own acknowledgements, are no fault', () => {
  const ledger = createSeqLedger(10);
  ledger.received(11);
  ledger.sent(13);
  ledger.received(12);
  ledger.received(14);
  ledger.sent(15);
  assert.deepEqual(faults(ledger, 15), clean);
  assert.equal(ledger.cursor(), 15);
});

test('an own acknowledgement may come after the messages that follow it', () => {
  const ledger = createSeqLedger(0);
  ledger.received(1);
  ledger.received(3);
  assert.equal(ledger.missing(3), 1);
  ledger.sent(2);
  assert.deepEqual(faults(ledger, 3), clean);
});

test('a seq id that never came is missing, in the middle and at the end', () => {
  const ledger = createSeqLedger(0);
  ledger.received(1);
  ledger.received(4);
  assert.deepEqual(faults(ledger, 6), { ...clean, missing: 4 });
  assert.equal(ledger.cursor(), 1);
});

test('a seq that comes twice is a repeat, an acknowledgement too', () => {
  const ledger = createSeqLedger(0);
  ledger.received(1);
  ledger.received(1);
  ledger.sent(2);
  ledger.sent(2);
  assert.deepEqual(faults(ledger, 2), { ...clean, repeated: 2 });
});

test('an own message that is delivered to its sender is an echo, before its acknowledgement and after', () => {
  const ledger = createSeqLedger(0);
  ledger.sent(1);
  ledger.received(1);
  ledger.received(2);
  ledger.sent(2);
  ledger.sent(4);
  ledger.received(4);
  ledger.received(3);
  assert.deepEqual(faults(ledger, 4), { ...clean, echoed: 3, outOfOrder: 1 });
});

test('a seq that comes after a higher one is out of order, not missing', () => {
  const ledger = createSeqLedger(0);
  ledger.received(2);
  ledger.received(1);
  assert.deepEqual(faults(ledger, 2), { ...clean, outOfOrder: 1 });
});

test('a sync fills gaps, and may repeat messages of the socket', () => {
  const ledger = createSeqLedger(0);
  ledger.received(1);
  ledger.received(5);
  for (const seq of [2, 3, 4, 5, 6]) ledger.synced(seq);
  assert.deepEqual(faults(ledger, 6), clean);
});
