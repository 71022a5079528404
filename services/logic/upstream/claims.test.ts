import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClaims } from './claims.ts';
import type { Item } from './item.ts';

const item = (partition: number, offset: number, claim: number): Item => ({
  partition,
  offset,
  claim,
  bytes: 1,
  queuedAt: 0,
  key: null,
  value: null,
  notified: false,
  content: { kind: 'malformed', reason: '' },
});

test('a new partition starts at its committed offset, and a kept one continues after the queued records', () => {
  const claims = createClaims();
  assert.deepEqual(claims.assign([0, 1], false), []);
  claims.queued(0, 41);
  assert.deepEqual(claims.assign([0, 2], true), [{ partition: 0, offset: 42 }]);
});

test('records fetched before a partition was lost are void', () => {
  const claims = createClaims();
  claims.assign([0, 1], false);
  const kept = item(0, 5, claims.of(0) ?? 0);
  const lost = item(1, 5, claims.of(1) ?? 0);
  claims.assign([0], true);
  claims.assign([0, 1], true);
  assert.equal(claims.holds(kept), true);
  assert.equal(claims.holds(lost), false);
});

test('after a gap in the group membership no queued record is kept, because another member may have handled it', () => {
  const claims = createClaims();
  claims.assign([0], false);
  claims.queued(0, 41);
  const before = item(0, 41, claims.of(0) ?? 0);
  assert.deepEqual(claims.assign([0], false), []);
  assert.equal(claims.holds(before), false);
});

test('an acknowledged record is committed once, as the next offset to read', () => {
  const claims = createClaims();
  claims.assign([0, 1], false);
  const of = (partition: number) => claims.of(partition) ?? 0;
  claims.acknowledge([item(0, 7, of(0)), item(1, 3, of(1)), item(0, 9, of(0))]);
  const offsets = claims.uncommitted();
  assert.deepEqual(offsets, [
    { partition: 0, offset: 10 },
    { partition: 1, offset: 4 },
  ]);
  claims.committed(offsets);
  assert.deepEqual(claims.uncommitted(), []);
  claims.acknowledge([item(0, 10, of(0))]);
  assert.deepEqual(claims.uncommitted(), [{ partition: 0, offset: 11 }]);
});

test('a late acknowledgement for a reassigned partition commits nothing', () => {
  const claims = createClaims();
  claims.assign([0], false);
  const late = item(0, 7, claims.of(0) ?? 0);
  claims.assign([], true);
  claims.acknowledge([late]);
  assert.deepEqual(claims.uncommitted(), []);
});

test('nothing beyond a deferred record is committed before that record is acknowledged', () => {
  const claims = createClaims();
  claims.assign([0], false);
  const at = (offset: number) => item(0, offset, claims.of(0) ?? 0);
  claims.acknowledge([at(6)]);
  claims.defer([at(7), at(9)]);
  claims.acknowledge([at(8), at(10)]);
  assert.deepEqual(claims.uncommitted(), [{ partition: 0, offset: 7 }]);
  claims.acknowledge([at(7)]);
  assert.deepEqual(claims.uncommitted(), [{ partition: 0, offset: 9 }]);
  claims.acknowledge([at(9)]);
  assert.deepEqual(claims.uncommitted(), [{ partition: 0, offset: 11 }]);
});
