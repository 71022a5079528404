import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { watchSources } from './source-watch.ts';
import { sourcesOf } from './sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'gochat-sources-'));
after(() => rmSync(folder, { recursive: true }));

const files: Record<string, string> = {
  'logic/main.ts':
    "import { a } from './a.ts';\nimport type { T } from './types.ts';\nawait import('./late.ts');",
  'logic/a.ts': "export { b as a } from '../lib/b.ts';",
  'logic/late.ts': "const bundled = new URL('../flows/index.ts', import.meta.url);",
  'logic/types.ts': 'export type T = 1;',
  'logic/a.test.ts': "import './a.ts';",
  'logic/script.lua': 'return 1',
  'lib/b.ts': "import { a } from '../logic/a.ts'; export const b = a;",
  'lib/other.ts': 'export const other = 1;',
  'flows/index.ts': 'export const flow = 1;',
  'pusher/main.ts': "import { other } from '../lib/other.ts';",
};

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  // Editors replace a file when they save it.
  writeFileSync(join(folder, `${path}.new`), text);
  renameSync(join(folder, `${path}.new`), join(folder, path));
}

before(() => {
  for (const [path, text] of Object.entries(files)) write(path, text);
});

const sources = (entry: string) =>
  [...sourcesOf(join(folder, entry))].map((path) => relative(folder, path)).toSorted();

test('the sources of a program are the files that it imports or names and the scripts beside them, without types and tests', () => {
  assert.deepEqual(sources('logic/main.ts'), [
    'flows/index.ts',
    'lib/b.ts',
    'logic/a.ts',
    'logic/late.ts',
    'logic/main.ts',
    'logic/script.lua',
  ]);
});

test('the sources of the services include the workflows and the Redis scripts', () => {
  const of = (service: string) =>
    [...sourcesOf(`services/${service}/main.ts`)].map((path) => relative('.', path));
  assert.ok(of('task').includes('workflows/index.ts'));
  assert.ok(of('core').some((path) => path.endsWith('.lua')));
  assert.ok(
    !of('pusher').some((path) => path.startsWith('services/') && !path.startsWith('services/pusher')),
  );
});

test('a change is reported for each program with this source, also after its imports have changed', async () => {
  const told: { names: string[]; paths: string[] }[] = [];
  let next = Promise.withResolvers<void>();
  const watch = watchSources(
    { logic: join(folder, 'logic/main.ts'), pusher: join(folder, 'pusher/main.ts') },
    (names, paths) => {
      told.push({ names, paths: paths.map((path) => relative(folder, path)) });
      next.resolve();
    },
    { pollEveryMs: 20 },
  );
  let time = 1;
  const change = async (path: string, text: string) => {
    next = Promise.withResolvers();
    write(path, text);
    // Two writes within one clock tick must have different times.
    utimesSync(resolve(folder, path), time, time++);
    await next.promise;
    return told.at(-1);
  };
  try {
    assert.deepEqual(await change('logic/script.lua', 'return 2'), {
      names: ['logic'],
      paths: ['logic/script.lua'],
    });
    assert.deepEqual(await change('lib/b.ts', "import { other } from './other.ts';"), {
      names: ['logic'],
      paths: ['lib/b.ts'],
    });
    assert.deepEqual((await change('lib/other.ts', 'export const other = 2;'))?.names, ['logic', 'pusher']);
    assert.equal(told.length, 3);
  } finally {
    watch.close();
  }
});
