import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Item } from './item.ts';
import { createQueue } from './queue.ts';

const item = (offset: number, bytes: number): Item => ({
  partition: 0,
  offset,
  bytes,
  claim: 1,
  queuedAt: 0,
  key: null,
  value: null,
  notified: false,
  content: { kind: 'malformed', reason: '' },
});
const bounds = { maxItems: 10, maxBytes: 100, takeItems: 3, takeBytes: 50 };
const offsets = (items: readonly Item[]) => items.map(({ offset }) => offset);

test('a save takes the oldest items, up to its limits', () => {
  const queue = createQueue(bounds);
  queue.push([item(1, 20), item(2, 20), item(3, 20), item(4, 1), item(5, 1), item(6, 1), item(7, 1)]);
  assert.deepEqual(offsets(queue.take()), [1, 2]);
  assert.deepEqual(offsets(queue.take()), [3, 4, 5]);
  assert.deepEqual(offsets(queue.take()), [6, 7]);
  assert.deepEqual(queue.take(), []);
});

test('an item that is larger than a save is saved alone', () => {
  const queue = createQueue(bounds);
  queue.push([item(1, 80), item(2, 1)]);
  assert.deepEqual(offsets(queue.take()), [1]);
  assert.deepEqual(offsets(queue.take()), [2]);
});

test('a full queue has no room until items are taken', async () => {
  const queue = createQueue(bounds);
  queue.push([item(1, 60), item(2, 60)]);
  assert.equal(queue.hasRoom(), false);
  const room = queue.room(60_000);
  queue.take();
  await room;
  assert.equal(queue.hasRoom(), true);
});

test('items of lost partitions are removed, and free their room', () => {
  const queue = createQueue(bounds);
  queue.push([item(1, 60), item(2, 60)]);
  queue.drop(({ offset }) => offset === 1);
  assert.equal(queue.hasRoom(), true);
  assert.deepEqual(offsets(queue.waiting()), [2]);
});
