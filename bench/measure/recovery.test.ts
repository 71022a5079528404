import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsToRecover } from './recovery.ts';

const recovered = (seconds: string) =>
  secondsToRecover(
    [...seconds].map((one) => one === 'c'),
    { calmSeconds: 3 },
  );

test('recovery is over when it stays calm', () => {
  assert.equal(recovered('cccccc'), 0);
  assert.equal(recovered('xxcccccc'), 2);
  assert.equal(recovered('xxccxccc'), 5);
});

test('a latency that keeps rising again has not recovered', () => {
  assert.equal(recovered('xxxx'), undefined);
  assert.equal(recovered('ccxccxccx'), undefined);
});
