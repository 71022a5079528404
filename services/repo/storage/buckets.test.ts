import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketCount, bucketOf, spreadEvenly } from './buckets.ts';

test('the bucket of an id is the same for ever', () => {
  const ids = [1, 2, 373825535221760, 373825535221761, Number.MAX_SAFE_INTEGER];
  assert.deepEqual(ids.map(bucketOf), [183, 774, 26, 912, 574]);
});

test('ids that one process makes one after the other are in all buckets', () => {
  for (const step of [1, 128, 4096]) {
    const counts = new Map<number, number>();
    for (let n = 0; n < 100 * bucketCount; n += 1) {
      const bucket = bucketOf(373825535221760 + n * step);
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    }
    assert.equal(counts.size, bucketCount);
    assert.ok(Math.max(...counts.values()) < 160, `step ${step}`);
  }
});

test('each database gets its share of the buckets', () => {
  const placement = spreadEvenly(['a', 'b', 'c']);
  const shares = ['a', 'b', 'c'].map((name) => placement.filter((one) => one === name).length);
  assert.equal(
    shares.reduce((sum, share) => sum + share),
    bucketCount,
  );
  assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
});
