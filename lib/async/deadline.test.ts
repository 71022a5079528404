import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withDeadline } from './deadline.ts';

const never = () => new Promise<never>(() => {});
const turns = async () => {
  for (let count = 0; count < 3; count += 1) await turn();
};

test('work within its deadline gives its result, and leaves no timer behind', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const onLate = t.mock.fn(() => 'late');
  assert.equal(await withDeadline(Promise.resolve('in time'), 10, onLate), 'in time');
  await assert.rejects(withDeadline(Promise.reject(new Error('refused')), 10, onLate), /refused/);
  t.mock.timers.tick(60_000);
  await turns();
  assert.equal(onLate.mock.callCount(), 0);
});

test('late work gives the result of onLate, or fails with its error', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const answered = withDeadline(never(), 10, () => 'late');
  const failed = withDeadline(never(), 10, () => {
    throw new Error('too late');
  });
  t.mock.timers.tick(10);
  assert.equal(await answered, 'late');
  await assert.rejects(failed, /too late/);
});

test('a failure after the deadline has no effect', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { promise, reject } = Promise.withResolvers<string>();
  const answered = withDeadline(promise, 10, () => 'late');
  t.mock.timers.tick(10);
  assert.equal(await answered, 'late');
  // An unhandled rejection would end the process.
  reject(new Error('refused'));
  await turns();
});

test('an answer that arrived while the process was suspended is not late', async () => {
  const onLate = () => 'late';
  const answer = Promise.withResolvers<string>();
  const outcome = withDeadline(answer.promise, 5, onLate);
  const until = performance.now() + 20;
  while (performance.now() < until);
  // Like reads of sockets, immediates run after overdue timers.
  setImmediate(() => answer.resolve('in time'));
  assert.equal(await outcome, 'in time');
});
