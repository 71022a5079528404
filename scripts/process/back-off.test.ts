import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackOff } from './back-off.ts';

test('a process that keeps dying is restarted ever more slowly, at most every ten seconds', () => {
  const backOff = createBackOff();
  const delays = Array.from({ length: 8 }, () => backOff.next(100));
  assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test('a process that ran for half a minute is restarted at once when it dies', () => {
  const backOff = createBackOff();
  for (let i = 0; i < 6; i += 1) backOff.next(100);
  assert.equal(backOff.next(30_000), 250);
  assert.equal(backOff.next(100), 500);
});
