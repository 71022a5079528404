import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { test } from 'node:test';
import { select } from './selection.ts';
import type { Step } from './steps.ts';

const parts = () => [];
const lint: Step = { name: 'lint', title: '', round: 1, files: [], parts };
const unit: Step = {
  name: 'unit',
  title: '',
  round: 1,
  files: ['lib/a.test.ts', 'lib/b.test.ts'],
  parts,
};
const fault: Step = {
  name: 'fault',
  title: '',
  round: 2,
  files: ['test/fault/c.test.ts'],
  onDemand: true,
  parts,
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

test('a folder is all files in it, whatever their step', () => {
  assert.deepEqual(names(['lib']), [['unit', ['lib/a.test.ts', 'lib/b.test.ts']]]);
  assert.deepEqual(names(['test/fault/']), [['fault', ['test/fault/c.test.ts']]]);
});

test('an unknown word is refused, and the error names the known ones', () => {
  assert.throws(() => names(['untit']), /"untit" is neither a test file nor one of the steps lint, unit/);
});

test('a step on demand runs when it is named', () => {
  assert.deepEqual(names(['fault']), [['fault', ['test/fault/c.test.ts']]]);
});

test('a bare name selects the file in every step; with the name of a step, only the file of that step', () => {
  assert.deepEqual(names(['b']), [['unit', ['lib/b.test.ts']]]);
  assert.deepEqual(names(['fault', 'c']), [['fault', ['test/fault/c.test.ts']]]);
  const both: Step[] = [unit, { ...fault, files: ['test/fault/a.test.ts', 'test/fault/c.test.ts'] }];
  const of = (asked: string[]) => select(both, asked).flatMap(({ files }) => files);
  assert.deepEqual(of(['a']), ['lib/a.test.ts', 'test/fault/a.test.ts']);
  assert.deepEqual(of(['fault', 'a']), ['test/fault/a.test.ts']);
});

test('a file with a line is the one test there', () => {
  const own = relative('.', import.meta.filename);
  const steps: Step[] = [lint, { ...unit, files: [own, 'lib/b.test.ts'] }];
  const text = readFileSync(own, 'utf8').split('\n');
  const line = 1 + text.findIndex((one) => one.includes('a named step runs alone'));
  const [selected, ...others] = select(steps, [`${own}:${line + 1}`]);
  assert.deepEqual(others, []);
  assert.deepEqual(selected?.files, [own]);
  assert.equal(selected?.only, '^a named step runs alone$');
  assert.throws(() => select(steps, [`${own}:1`]), /has no test at line 1/);
});
