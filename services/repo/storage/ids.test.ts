import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseId } from './ids.ts';

test('an id on the wire is a decimal number below 2^53, written in one way only', () => {
  assert.equal(parseId('1'), 1);
  assert.equal(parseId('9007199254740991'), 9007199254740991);
  for (const text of [
    '',
    '0',
    '01',
    '-1',
    '+1',
    '1.0',
    '1e3',
    ' 1',
    '1 ',
    '９',
    '9007199254740992',
    '1'.repeat(40),
    "1' OR 1",
  ]) {
    assert.equal(parseId(text), undefined, text);
  }
});
