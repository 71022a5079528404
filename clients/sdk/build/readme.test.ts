import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { exampleOf, recipes } from './readme.ts';

const root = resolve(import.meta.dirname, '../../..');
const cache = join(root, 'node_modules/.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'sdk-readme-'));
after(() => rmSync(folder, { recursive: true }));

test('the examples of the README compile against the types of the package', () => {
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(join(folder, 'bot.ts'), exampleOf('bot'));
  writeFileSync(join(folder, 'app.tsx'), exampleOf('react'));
  const around = `import type { Client } from '@gochat/sdk';
    declare const chat: Client, id: string; declare function show(room: unknown): void;`;
  writeFileSync(join(folder, 'fragment.ts'), `${around}\n${exampleOf('fragment')}\nexport { message, off };`);
  writeFileSync(join(folder, 'calls.ts'), exampleOf('calls'));
  const inRecipes = `import { type Client, createClient, GoChatError } from '@gochat/sdk';
    import { indexedDb } from '@gochat/sdk/indexeddb';
    declare const chat: Client, id: string, url: string, username: string, password: string;
    declare function show(text: string): void;`;
  for (const name of recipes) {
    const code = `${inRecipes}\nasync function recipe() {\n${exampleOf(name)}}\nvoid recipe, GoChatError, createClient, indexedDb;`;
    writeFileSync(join(folder, `${name.replace(' ', '-')}.ts`), code);
  }
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--jsx',
    'react-jsx',
    '--types',
    'node',
  ];
  const files = readdirSync(folder)
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
  const { stdout } = spawnSync(process.execPath, [compiler, '--ignoreConfig', ...options, ...files], {
    encoding: 'utf8',
  });
  assert.equal(stdout, '');
});
