import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { cleanupInputs } from '../cleanup-expired-status/contract.ts';
import { parseInput } from './check.ts';

const parse = (input: unknown) => parseInput(cleanupInputs.start, input ?? {});

test('everything may be left out', () => {
  for (const input of [undefined, null, {}]) assert.deepEqual(parse(input), {});
  assert.deepEqual(parse({ dryRun: true }), { dryRun: true });
});

for (const [input, complaint] of [
  [{ dryRun: 'yes' }, /dryRun must be true or false/],
  [{ olderThanMs: -1 }, /olderThanMs must be a whole number/],
  [{ olderThanMs: 1.5 }, /olderThanMs must be/],
  [{ olderThanMs: '5' }, /olderThanMs must be/],
  [{ dryrun: true }, /dryrun is none of dryRun, olderThanMs/],
  [{ dryRun: 1, olderThanMs: 0 }, /dryRun must .*; olderThanMs must/],
  [[], /must be an object/],
  ['now', /must be an object/],
] as const) {
  test(`${JSON.stringify(input)} is refused for good, and says why`, () => {
    assert.throws(
      () => parse(input),
      (error) =>
        error instanceof ApplicationFailure &&
        error.nonRetryable === true &&
        error.type === 'INVALID_ARGUMENT' &&
        complaint.test(error.message),
    );
  });
}
