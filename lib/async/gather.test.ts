import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createGather } from './gather.ts';

/** Numbers that are gathered into batches of at most `maxBatch`; a batch ends when the test ends it. */
function scene(
  options: { lingerMs?: number; fullLength?: number; maxConcurrent?: number; maxBatch?: number } = {},
) {
  const { maxBatch = 100, ...rest } = options;
  const waiting: number[] = [];
  const batches: number[][] = [];
  const ends: (() => void)[] = [];
  const gather = createGather({
    ...rest,
    waiting: () => waiting.length,
    handle() {
      batches.push(waiting.splice(0, maxBatch));
      return new Promise<void>((resolve) => ends.push(resolve));
    },
  });
  return {
    gather,
    batches,
    add(...numbers: number[]): void {
      for (const number of numbers) {
        waiting.push(number);
        gather.wake();
      }
    },
    async endOldest(): Promise<void> {
      ends.shift()?.();
      await turn();
    },
  };
}

test('items of one event loop turn are one batch, and items that arrive while it is handled are the next batch', async () => {
  const { add, batches, endOldest } = scene();
  add(1, 2);
  assert.deepEqual(batches, []);
  await turn();
  add(3);
  await turn();
  add(4);
  assert.deepEqual(batches, [[1, 2]]);
  await endOldest();
  assert.deepEqual(batches, [
    [1, 2],
    [3, 4],
  ]);
});

test('after a pause, a batch lingers again', async () => {
  const { add, batches, endOldest } = scene();
  add(1);
  await turn();
  await endOldest();
  add(2);
  assert.deepEqual(batches, [[1]]);
  await turn();
  assert.deepEqual(batches, [[1], [2]]);
});

test('all items that arrive within the linger time are one batch', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { add, batches } = scene({ lingerMs: 50 });
  add(1);
  t.mock.timers.tick(49);
  add(2);
  assert.deepEqual(batches, []);
  t.mock.timers.tick(1);
  assert.deepEqual(batches, [[1, 2]]);
});

test('a full batch is handled at once, and the next one lingers for the full time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { add, batches } = scene({ lingerMs: 50, fullLength: 2, maxConcurrent: 9 });
  add(1);
  t.mock.timers.tick(40);
  add(2, 3);
  assert.deepEqual(batches, [[1, 2]]);
  t.mock.timers.tick(49);
  assert.deepEqual(batches, [[1, 2]]);
  t.mock.timers.tick(1);
  assert.deepEqual(batches, [[1, 2], [3]]);
});

test('no more batches than allowed are handled at the same time', async () => {
  const { add, batches, endOldest } = scene({ maxConcurrent: 2, maxBatch: 2 });
  add(1, 2, 3, 4, 5);
  for (let count = 0; count < 5; count += 1) await turn();
  assert.deepEqual(batches, [
    [1, 2],
    [3, 4],
  ]);
  await endOldest();
  await turn();
  assert.deepEqual(batches, [[1, 2], [3, 4], [5]]);
});

test('a flush handles waiting items without lingering, and resolves when all are handled', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { gather, add, batches, endOldest } = scene({ lingerMs: 50, maxBatch: 1 });
  add(1, 2);
  let flushed = false;
  const flushing = gather.flush().then(() => {
    flushed = true;
  });
  assert.deepEqual(batches, [[1]]);
  await endOldest();
  assert.deepEqual(batches, [[1], [2]]);
  assert.equal(flushed, false);
  await endOldest();
  await flushing;
});

test('a flush with nothing to do resolves', async () => {
  const { gather } = scene();
  await gather.flush();
});
