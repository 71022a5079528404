import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Offences, recordOffence } from './offences.ts';

test('the third offence within a minute reaches the limit, whenever the minute begins', () => {
  const offences: Offences = [];
  const at = (now: number) => recordOffence(offences, 3, now);
  assert.deepEqual([at(0), at(30_000), at(60_000), at(89_999)], [false, false, false, true]);
  assert.deepEqual([at(200_000), at(200_001), at(200_002)], [false, false, true]);
});

test('no more offences are kept than the limit', () => {
  const offences: Offences = [];
  for (let now = 0; now < 100; now++) recordOffence(offences, 3, now);
  assert.equal(offences.length, 3);
});
