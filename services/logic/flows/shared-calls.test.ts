import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSharedCalls } from './shared-calls.ts';

test('twenty concurrent calls with the same key are executed once, and a later call is executed again', async () => {
  const shared = createSharedCalls();
  let calls = 0;
  const ask = (what: string) =>
    shared(what, async () => {
      calls += 1;
      return `${what} ${calls}`;
    });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask('this')));
  assert.deepEqual(new Set(answers), new Set(['this 1']));
  assert.equal(await ask('this'), 'this 2');
  assert.equal(await ask('that'), 'that 3');
});

test('all concurrent callers get a failure, and the next call tries again', async () => {
  const shared = createSharedCalls();
  const fail = () => shared('this', () => Promise.reject(new Error('away')));
  const outcomes = await Promise.allSettled([fail(), fail()]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await shared('this', async () => 'back'), 'back');
});
