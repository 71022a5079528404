import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isId, isIdNumber, pairKey, parseId } from './ids.ts';

test('an id on the wire is a decimal number below 2^53, written in one way only', () => {
  assert.equal(parseId('1'), 1);
  assert.equal(parseId('9007199254740991'), 9007199254740991);
  assert.equal(isId('9007199254740991'), true);
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
    assert.equal(isId(text), false, text);
  }
});

test('an id as a number is whole, above 0 and held exactly', () => {
  for (const id of [1, Number.MAX_SAFE_INTEGER]) assert.equal(isIdNumber(id), true, String(id));
  for (const value of [0, -1, 1.5, Number.MAX_SAFE_INTEGER + 1, Number.NaN, '1', null, undefined]) {
    assert.equal(isIdNumber(value), false, String(value));
  }
});

test('the key of a pair is the same from both sides, and goes by number', () => {
  assert.equal(pairKey('9', '10'), '9:10');
  assert.equal(pairKey('10', '9'), '9:10');
});
