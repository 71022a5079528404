import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadRecord } from '../records/records.ts';
import { buildDeadRecord } from './dead-records.ts';

const lay = { topic: 't', partition: 3, offset: '12' };
const mebibyte = 1024 * 1024;
const bury = (key: Buffer | null, value: Buffer | null, error: unknown = 'no good') => {
  const dead = buildDeadRecord({ ...lay, key, value }, error);
  return { ...dead, record: JSON.parse(dead.value) as DeadRecord };
};

test('a dead letter keeps the record’s key, and its bytes beside the text', () => {
  const key = Buffer.from([0x80, 0]);
  const value = Buffer.from([0xff, 0x00, 0xfe, 0x41]);
  const dead = bury(key, value);
  assert.deepEqual(dead.key, key);
  assert.deepEqual(dead.record, {
    ...lay,
    error: 'no good',
    record: '\ufffd\u0000\ufffdA',
    record_base64: value.toString('base64'),
  });
  assert.equal(bury(null, null).key, null);
  assert.equal(bury(null, null).record.record_base64, '');
});

test('every record fits into a dead letter: long values are cut, and marked as cut', () => {
  const worst = [Buffer.alloc(mebibyte), Buffer.alloc(mebibyte, 0xff), Buffer.alloc(mebibyte, '"')];
  for (const value of worst) {
    const dead = bury(Buffer.alloc(mebibyte), value, 'x'.repeat(mebibyte));
    assert.equal(dead.key, null);
    assert.ok(Buffer.byteLength(dead.value) < mebibyte - 50_000, String(Buffer.byteLength(dead.value)));
    assert.match(dead.record.error, /the first 589824 of 1048576 bytes are kept; its key of 1048576 bytes/);
    assert.deepEqual(Buffer.from(dead.record.record_base64, 'base64'), value.subarray(0, 589_824));
  }
});
