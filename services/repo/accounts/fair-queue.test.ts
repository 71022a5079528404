import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../../../lib/errors.ts';
import { createFairQueue, type QueueKey } from './fair-queue.ts';

/** A queue with concurrency 1 whose first work item blocks until `go`, which returns the order of the other items. */
function held(maxWaiting = 100) {
  const queue = createFairQueue({ concurrency: 1, maxWaiting });
  const gate = Promise.withResolvers<void>();
  const first = queue.run({ address: 'first', account: 'first' }, () => gate.promise);
  const done: string[] = [];
  const refused: string[] = [];
  const all: Promise<void>[] = [];
  return {
    queue,
    refused,
    ask(address: string, account: string, times = 1) {
      const queueKey: QueueKey = { address, account };
      for (let i = 0; i < times; i++) {
        const work = queue.run(queueKey, async () => void done.push(account));
        all.push(
          work.catch((error: unknown) => {
            assert.equal(codeOf(error), 'UNAVAILABLE');
            refused.push(account);
          }),
        );
      }
    },
    async go() {
      gate.resolve();
      await Promise.all([first, ...all]);
      return done;
    },
  };
}

test('a single waiting sign-in is served after one of an address with a hundred, not after all of them', async () => {
  const { ask, go } = held();
  ask('attacker', 'many', 20);
  ask('home', 'one');
  assert.deepEqual((await go()).slice(0, 3), ['many', 'one', 'many']);
});

test('accounts behind one address are served round-robin too', async () => {
  const { ask, go } = held();
  ask('office', 'many', 20);
  ask('office', 'one');
  ask('home', 'two');
  assert.deepEqual((await go()).slice(0, 4), ['many', 'two', 'one', 'many']);
});

test('a full queue makes room for an address with fewer waiting items, and refuses the rest', async () => {
  const { ask, go, refused, queue } = held(10);
  ask('attacker', 'many', 15);
  assert.equal(queue.waiting(), 10);
  ask('home', 'one');
  assert.equal(queue.waiting(), 10);
  const done = await go();
  assert.deepEqual([done.filter((account) => account === 'one').length, done.length], [1, 10]);
  assert.deepEqual(refused, new Array(6).fill('many'));
  assert.equal(queue.waiting(), 0);
});

test('failed work starts the next waiting item', async () => {
  const queue = createFairQueue({ concurrency: 1, maxWaiting: 5 });
  const queueKey = { address: 'a', account: 'b' };
  const failing = queue.run(queueKey, async () => {
    throw new Error('no');
  });
  const next = queue.run(queueKey, async () => 'done');
  await assert.rejects(failing, /no/);
  assert.equal(await next, 'done');
});
