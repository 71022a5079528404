import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { plantOnce } from './demo.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gochat-demo-'));
});
afterEach(() => rmSync(home, { recursive: true }));

test('only the first start plants the demo world, and later ones know its sign-ins', async () => {
  const plant = mock.fn(async () => 'maya demo-1\nli demo-2');
  const starts = [await plantOnce(home, plant, assert.fail), await plantOnce(home, plant, assert.fail)];
  assert.deepEqual(starts, ['maya demo-1\nli demo-2', 'maya demo-1\nli demo-2']);
  assert.equal(plant.mock.callCount(), 1);
});

test('a demo world that cannot be planted is only a warning, and the next start tries again', async () => {
  const warnings: string[] = [];
  const refuse = () => Promise.reject(new Error('The password is wrong.'));
  assert.equal(await plantOnce(home, refuse, (line) => warnings.push(line)), undefined);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /The password is wrong\./);
  assert.equal(await plantOnce(home, async () => 'maya demo-1', assert.fail), 'maya demo-1');
});
