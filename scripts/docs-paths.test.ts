import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
/** A file or folder of ours in backticks, without a placeholder. */
const place =
  /`((?:activities|bench|clients|infra|lib|prisma|proto|scripts|services|test|workflows)\/[\w./-]+)`/g;

test('every file and folder that a document names exists', () => {
  const documents = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: root }).filter(
    (path) => path !== 'CHANGELOG.md',
  );
  assert.ok(documents.length > 10);
  const missing = documents.flatMap((path) =>
    [...readFileSync(resolve(root, path), 'utf8').matchAll(place)]
      .filter(([, name = '']) => !existsSync(resolve(root, name)))
      .map(([, name]) => `${path}: ${name}`),
  );
  assert.deepEqual(missing, []);
});
