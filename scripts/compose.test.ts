import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { findProgram, output } from './program.ts';
import { serverNames } from './stack/server.ts';

interface Service {
  image: string;
  command?: string[];
  ports?: string[];
  healthcheck?: object;
  environment?: Record<string, string>;
}

const root = resolve(import.meta.dirname, '..');
const path = resolve(root, 'docker-compose.yml');
const text = readFileSync(path, 'utf8');
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
const ours = ['repo', 'logic', 'task', 'pusher', 'gateway'];
const secrets = { GOCHAT_DATABASE_PASSWORD: 'x', AUTH_PRIVATE_KEY_FILE: './a', AUTH_PUBLIC_KEY_FILE: './b' };
const compose = findProgram('docker-compose');

test('the whole system is there, each part with a health check', () => {
  for (const name of [...serverNames, ...ours]) assert.ok(services[name]?.healthcheck, name);
});

test('our services run the code of this checkout from one image', () => {
  for (const name of ours) {
    assert.equal(services[name]?.image, 'gochat:local');
    const [node, ...rest] = services[name]?.command ?? [];
    assert.deepEqual([node, rest.at(-1)], ['node', `services/${name}/main.ts`]);
  }
});

test('nothing is published beyond the loopback address', () => {
  const published = Object.values(services).flatMap((service) => service.ports ?? []);
  assert.ok(published.length > 0);
  for (const port of published) assert.match(port, /^127\.0\.0\.1:/);
});

test('secrets have no default', () => {
  for (const name of Object.keys(secrets)) {
    const uses = text.match(new RegExp(`\\$\\{${name}[^}]*\\}`, 'g')) ?? [];
    assert.ok(uses.length > 0, name);
    for (const use of uses) assert.match(use, /:\?/);
  }
});

test('the image holds every folder that its code imports from', () => {
  const copied = readFileSync(resolve(root, 'Dockerfile'), 'utf8');
  const allowed = readFileSync(resolve(root, '.dockerignore'), 'utf8').split('\n');
  for (const folder of ['activities', 'clients', 'lib', 'prisma', 'proto', 'services', 'workflows']) {
    assert.ok(readdirSync(root).includes(folder), folder);
    assert.match(copied, new RegExp(`^COPY ${folder} ${folder}$`, 'm'));
    assert.ok(allowed.includes(`!${folder}`), folder);
  }
});

test('Compose itself accepts the file', {
  skip: compose === undefined && 'docker-compose is not installed',
}, async () => {
  const options = ['--file', path, 'config', '--quiet'];
  const { code, stderr } = await output(compose ?? '', options, { env: { ...process.env, ...secrets } });
  assert.equal(code, 0, stderr);
  const without = await output(compose ?? '', options, { env: { PATH: process.env.PATH } });
  assert.match(without.stderr, /set it in .env, see .env.example/);
});
