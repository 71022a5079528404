import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';

const sdk = resolve(import.meta.dirname, '..');
const kilobyte = 1024;

const zipped = (name: string) => gzipSync(readFileSync(join(sdk, 'dist', `${name}.js`)), { level: 9 }).length;

test('the bundles stay small', () => {
  const limits = { index: 12, actions: 3, react: 3, indexeddb: 4, memory: 2, file: 3 };
  const large = Object.entries(limits).filter(([name, limit]) => zipped(name) > limit * kilobyte);
  assert.deepEqual(
    large.map(([name]) => `${name}: ${zipped(name)} bytes`),
    [],
  );
});

test('importing the bundles has no side effects and needs nothing of a browser', async () => {
  const before = Object.keys(globalThis);
  for (const name of ['index', 'actions', 'memory', 'file', 'indexeddb', 'react'])
    await import(join(sdk, 'dist', `${name}.js`));
  assert.deepEqual(Object.keys(globalThis), before);
});

test('the package is well-formed, and its types fit what it exports', async () => {
  const { messages } = await publint({ pkgDir: sdk, strict: true });
  assert.deepEqual(messages, []);
  const folder = mkdtempSync(join(tmpdir(), 'gochat-pack-'));
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: sdk,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = JSON.parse(packed);
  const analysis = await checkPackage(createPackageFromTarballData(readFileSync(join(folder, filename))));
  rmSync(folder, { recursive: true });
  assert.ok('problems' in analysis);
  // The package is for ES modules only: what requires it gets a module, and old resolvers do not know its entry points.
  const problems = analysis.problems.filter(
    (problem) =>
      problem.kind !== 'CJSResolvesToESM' &&
      !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
  );
  assert.deepEqual(problems, []);
});
