import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { noKeys } from './topology/keys.ts';
import { servicePlans, userProfile } from './topology/topology.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(resolve(root, path), 'utf8');

test('the dev container installs every package that a server may ask for', () => {
  const { postCreateCommand } = JSON.parse(read('.devcontainer/devcontainer.json'));
  const sources = globSync('scripts/stack/*.ts', { cwd: root }).map(read).join('\n');
  const wanted = [...sources.matchAll(/(?:aptPackage: |program\()'([a-z0-9-]+)'/g)].map(([, name]) => name);
  assert.ok(wanted.length > 4);
  for (const name of wanted) assert.match(postCreateCommand, new RegExp(` ${name}( |$)`));
});

test('all files name the same version of Node', () => {
  const major = read('.nvmrc').trim();
  assert.match(read('scripts/run.mjs'), new RegExp(`const neededNode = ${major};`));
  assert.match(JSON.parse(read('.devcontainer/devcontainer.json')).image, new RegExp(`:${major}-`));
  assert.match(read('Dockerfile'), new RegExp(`FROM node:${major}\\.`));
});

test('the editor can launch each service with a debugger', () => {
  const servers = { DATABASE_URL: '', REDIS_URL: '', KAFKA_BROKERS: '', TEMPORAL_ADDRESS: '' };
  const services = servicePlans(userProfile({}, 1, false), servers, noKeys).map(({ name }) =>
    name.replace('-1', ''),
  );
  const { configurations } = JSON.parse(read('.vscode/launch.json'));
  const { tasks } = JSON.parse(read('.vscode/tasks.json'));
  for (const service of services) {
    const { preLaunchTask } = configurations.find(({ name }: { name: string }) => name === service);
    const { command } = tasks.find(({ label }: { label: string }) => label === preLaunchTask);
    assert.equal(command, `npm run dev -- ${service} --inspect`);
  }
});
