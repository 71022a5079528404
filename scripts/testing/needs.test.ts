import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import { apart, needsOf } from './needs.ts';

test('a test file gets only the servers that its folder needs', () => {
  assert.deepEqual(needsOf('lib/domain/names.test.ts'), []);
  assert.deepEqual(needsOf('test/integration/repo/sync/sync.test.ts'), ['mysql', 'redis']);
  assert.deepEqual(needsOf('test/integration/kafka/subscription.test.ts'), ['kafka']);
  assert.ok(!needsOf('workflows/create-group.test.ts').includes('temporal'));
  assert.ok(needsOf('test/e2e/messages.test.ts').includes('system'));
});

test('files that share a resource stay in one group, and every file is in a group', () => {
  const files = globSync('test/integration/**/*.test.ts');
  const groups = apart(files);
  assert.deepEqual(groups.flat().toSorted(), files.toSorted());
  const groupOf = (part: string) => groups.findIndex((group) => group.some((file) => file.includes(part)));
  assert.equal(groupOf('/logic/'), groupOf('/task/'));
  assert.equal(groupOf('/repo/'), groupOf('/bench/'));
  assert.notEqual(groupOf('/logic/'), groupOf('/repo/'));
});
