import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { documentsOfTestApp } from './documents.ts';
import { wireTypes } from './wire-types.ts';

/**
 * Writes the types of the API from the documents that a gateway serves. With --check it only compares, and fails if the
 * written types are older than the documents.
 */
const root = resolve(import.meta.dirname, '../../..');
const file = resolve(import.meta.dirname, '../src/wire/wire.ts');

const { openapi, asyncapi } = await documentsOfTestApp();
const text = formatted(wireTypes(openapi, asyncapi));

if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error('clients/sdk/src/wire/wire.ts differs from the API documents: run npm run generate.');
  process.exitCode = 1;
}

function formatted(source: string): string {
  const biome = resolve(root, 'node_modules/.bin/biome');
  const options = ['format', '--stdin-file-path=clients/sdk/src/wire/wire.ts'];
  const { status, stdout, stderr } = spawnSync(biome, options, {
    cwd: root,
    input: source,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`biome could not format the types: ${stderr}`);
  return stdout;
}
