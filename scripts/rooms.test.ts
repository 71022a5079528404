import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const rooms = createRequire(import.meta.url)('../rooms.cjs') as Record<string, string[]>;
const listed = Object.entries(rooms).flatMap(([part, names]) =>
  names.filter((name) => name !== '.').map((name) => `${part}/${name}`),
);

const maxFiles = 15;
const maxLines = 350;
/** Folders that hold many files of the same kind, in which one more file makes nothing harder to find. */
const lists = ['bench/scenarios'];

const sourcesWith = (...extensions: string[]) =>
  globSync(
    extensions.map(
      (one) => `{activities,bench,clients,demo,lib,scripts,services,test,workflows}/**/*.${one}`,
    ),
    {
      cwd: root,
      exclude: (path) =>
        /(^|\/)node_modules$|^(lib\/gen|clients\/([^/]+\/dist|sdk\/src\/wire))$|^services\/repo\/prisma$/.test(
          path,
        ),
    },
  ).map((path) => ({ path, text: readFileSync(resolve(root, path), 'utf8') }));

const sources = sourcesWith('ts', 'tsx');
const inFolders = Map.groupBy(
  sources.filter(({ path }) => !/\.test\.tsx?$/.test(path)),
  ({ path }) => dirname(path),
);

test('every folder in rooms.cjs exists', () => {
  assert.deepEqual(
    listed.filter((room) => !existsSync(resolve(root, room))),
    [],
  );
});

test('one file of every room says what the room is for and what may not come in', () => {
  const silent = listed.filter((room) => {
    const openings = (inFolders.get(room) ?? []).filter(({ text }) => text.startsWith('// Room: '));
    return openings.length !== 1;
  });
  assert.deepEqual(silent, []);
});

test(`no room holds more than ${maxFiles} files, and no file more than ${maxLines} lines`, () => {
  const full = [...inFolders].filter(([room, files]) => files.length > maxFiles && !lists.includes(room));
  assert.deepEqual(
    full.map(([room, files]) => `${room}: ${files.length} files`),
    [],
  );
  const all = [...sources, ...sourcesWith('js', 'mjs', 'cjs', 'lua', 'sql', 'py')];
  const long = all.filter(({ text }) => text.trimEnd().split('\n').length > maxLines);
  assert.deepEqual(
    long.map(({ path }) => path),
    [],
  );
});
