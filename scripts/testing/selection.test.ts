import assert from 'node:assert/strict';
import { test } from 'node:test';
import { select } from './selection.ts';
import type { Step } from './steps.ts';

const run = async () => ({ passed: 0, failed: 0 });
const lint: Step = { name: 'lint', title: '', needs: 'nothing', files: [], run };
const unit: Step = {
  name: 'unit',
  title: '',
  needs: 'servers',
  files: ['lib/a.test.ts', 'lib/b.test.ts'],
  run,
};
const fault: Step = {
  name: 'fault',
  title: '',
  needs: 'system',
  files: ['test/fault/c.test.ts'],
  onDemand: true,
  run,
};
const names = (asked: string[]) =>
  select([lint, unit, fault], asked).map(({ step, files }) => [step.name, files]);

test('without a word every step runs with all its files, but not those on demand', () => {
  assert.deepEqual(names([]), [
    ['lint', []],
    ['unit', ['lib/a.test.ts', 'lib/b.test.ts']],
  ]);
});

test('a named step runs alone', () => {
  assert.deepEqual(names(['lint']), [['lint', []]]);
});

test('a test file runs alone, in its step', () => {
  assert.deepEqual(names(['lib/b.test.ts']), [['unit', ['lib/b.test.ts']]]);
});

test('a word that means nothing is refused with the words that do', () => {
  assert.throws(() => names(['untit']), /"untit" is neither a test file nor one of the steps lint, unit/);
});

test('a step on demand runs when it is named', () => {
  assert.deepEqual(names(['fault']), [['fault', ['test/fault/c.test.ts']]]);
});

test('a bare name is a file’s, in every step that has one; beside a step it is that step’s', () => {
  assert.deepEqual(names(['b']), [['unit', ['lib/b.test.ts']]]);
  assert.deepEqual(names(['fault', 'c']), [['fault', ['test/fault/c.test.ts']]]);
  const both: Step[] = [unit, { ...fault, files: ['test/fault/a.test.ts', 'test/fault/c.test.ts'] }];
  const of = (asked: string[]) => select(both, asked).flatMap(({ files }) => files);
  assert.deepEqual(of(['a']), ['lib/a.test.ts', 'test/fault/a.test.ts']);
  assert.deepEqual(of(['fault', 'a']), ['test/fault/a.test.ts']);
});
