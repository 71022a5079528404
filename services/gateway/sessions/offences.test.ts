import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOneTooMany, type Offences } from './offences.ts';

test('the third within a minute is one too many, whenever the minute begins', () => {
  const offences: Offences = [];
  const at = (now: number) => isOneTooMany(offences, 3, now);
  assert.deepEqual([at(0), at(30_000), at(60_000), at(89_999)], [false, false, false, true]);
  assert.deepEqual([at(200_000), at(200_001), at(200_002)], [false, false, true]);
});

test('no more is remembered than counts', () => {
  const offences: Offences = [];
  for (let now = 0; now < 100; now++) isOneTooMany(offences, 3, now);
  assert.equal(offences.length, 3);
});
