import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const rows = readFileSync(resolve(root, 'docs/rules.md'), 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter((cells) => cells[2]?.endsWith('.test.ts'));

test('every test of docs/rules.md exists under its title', () => {
  assert.ok(rows.length > 40);
  const missing = rows.filter(([, , file = '', title = '']) => {
    const path = resolve(root, file);
    return !existsSync(path) || title === '' || !readFileSync(path, 'utf8').includes(title);
  });
  assert.deepEqual(missing, []);
});
