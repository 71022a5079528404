import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { titlePatternAt } from './test-at-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'gochat-line-'));
after(() => rmSync(folder, { recursive: true }));

test('a line selects the test that contains it, also one whose title is made in a loop', () => {
  const file = join(folder, 'a.test.ts');
  const lines = [
    "import { test } from 'node:test';",
    "test('it costs $5 (or \\'nothing\\')', () => {",
    '  run();',
    '});',
    'for (const service of services) {',
    '  test(`kill -9 of $' + '{service}, once`, {',
    '    timeout: 1,',
  ];
  writeFileSync(file, lines.join('\n'));
  const matches = (line: number, title: string) => new RegExp(titlePatternAt(file, line) ?? '-').test(title);
  assert.equal(titlePatternAt(file, 1), undefined);
  assert.ok(matches(3, "it costs $5 (or 'nothing')"));
  assert.ok(!matches(3, "it costs $5 (or 'nothing') and more"));
  assert.ok(matches(7, 'kill -9 of logic, once'));
  assert.ok(!matches(7, 'kill -9 of logic, twice'));
});
