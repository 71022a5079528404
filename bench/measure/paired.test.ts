import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paired } from './paired.ts';

test('seven pairs bound the median by the smallest, nine by the second, eleven by the third', () => {
  assert.deepEqual(paired([7, 6, 5, 4, 3, 2, 1]), { median: 4, atLeast: 1 });
  assert.deepEqual(paired([1, 2, 3, 4, 5, 6, 7, 8, 9]), { median: 5, atLeast: 2 });
  assert.deepEqual(paired([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), { median: 6, atLeast: 3 });
});

test('the median of an even number of pairs is between the two middle ones', () => {
  assert.equal(paired([1, 2, 3, 4, 5, 6]).median, 3.5);
});

test('too few pairs give no lower bound of the median', () => {
  assert.equal(paired([1, 1, 1, 1]).atLeast, 0);
});
