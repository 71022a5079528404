import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecentSenders } from './recent-senders.ts';

test('the senders of messages that this process stored without a gap are known, and no others', () => {
  const recent = createRecentSenders();
  assert.equal(recent.between(1, 1, 1), undefined);
  recent.note(1, 5, [10, 11]);
  recent.note(1, 7, [10, 12]);
  assert.deepEqual(recent.between(1, 5, 8), new Set([10, 11, 12]));
  assert.deepEqual(recent.between(1, 6, 7), new Set([11, 10]));
  assert.equal(recent.between(1, 4, 8), undefined);
  assert.equal(recent.between(1, 8, 9), undefined);
  assert.equal(recent.between(2, 5, 5), undefined);
});

test('after a gap the run starts again, and a late note changes nothing', () => {
  const recent = createRecentSenders();
  recent.note(1, 1, [10]);
  recent.note(1, 4, [12]);
  recent.note(1, 2, [11, 11]);
  assert.equal(recent.between(1, 3, 4), undefined);
  assert.deepEqual(recent.between(1, 4, 4), new Set([12]));
});

test('a long run keeps its newest senders', () => {
  const recent = createRecentSenders();
  for (let seqId = 1; seqId <= 1000; seqId += 1) recent.note(1, seqId, [seqId]);
  assert.equal(recent.between(1, 1000 - 127, 1000)?.size, 128);
  assert.equal(recent.between(1, 1, 1000), undefined);
});
