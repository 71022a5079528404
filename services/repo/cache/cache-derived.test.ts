import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDerivedValues } from './cache-derived.ts';

const mebibyte = 1024 * 1024;

test('a change removes a derived value and every value computed from it', () => {
  const values = createDerivedValues();
  const inner = values.begin('inner');
  values.watch(inner, 'a');
  const outer = values.begin('outer');
  values.watch(outer, 'inner');
  assert.equal(values.keep(inner, 1, 1), true);
  assert.equal(values.keep(outer, 2, 1), true);
  values.changed('b');
  assert.equal(values.find('outer')?.value, 2);
  values.changed('a');
  assert.deepEqual([values.find('inner'), values.find('outer')], [undefined, undefined]);
});

test('a value whose source changes while it is computed is not kept', () => {
  const values = createDerivedValues();
  const made = values.begin('made');
  values.watch(made, 'a');
  values.changed('a');
  assert.equal(values.keep(made, 1, 1), false);
  assert.equal(values.find('made'), undefined);
});

test('of two concurrent computations the first result is kept, and both are valid', () => {
  const values = createDerivedValues();
  const [first, second] = [values.begin('made'), values.begin('made')];
  values.watch(first, 'a');
  values.watch(second, 'a');
  assert.deepEqual([values.keep(second, 2, 1), values.keep(first, 1, 1)], [true, true]);
  assert.equal(values.find('made')?.value, 2);
  values.changed('a');
  assert.equal(values.find('made'), undefined);
});

test('an evicted value takes along every value computed from it', () => {
  const values = createDerivedValues();
  const inner = values.begin('inner');
  values.watch(inner, 'a');
  values.keep(inner, 1, 1);
  const outer = values.begin('outer');
  values.watch(outer, 'inner');
  values.keep(outer, 2, mebibyte);
  for (let n = 0; n < 140; n += 1) {
    values.find('outer');
    const large = values.begin(`large ${n}`);
    values.watch(large, 'b');
    values.keep(large, n, mebibyte);
  }
  assert.deepEqual([values.find('inner'), values.find('outer')], [undefined, undefined]);
});

test('after any key may have changed nothing is kept', () => {
  const values = createDerivedValues();
  const kept = values.begin('kept');
  values.watch(kept, 'a');
  values.keep(kept, 1, 1);
  const making = values.begin('making');
  values.watch(making, 'a');
  values.changed(undefined);
  assert.equal(values.find('kept'), undefined);
  assert.equal(values.keep(making, 2, 1), false);
});
