import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { searchAttributeTypes } from '../workflows/contracts/search-attributes.ts';
import { findProgram, output } from './process/program.ts';
import { serverNames } from './stack/server.ts';
import { searchAttributes } from './stack/temporal.ts';

interface Service {
  image: string;
  command?: string[];
  ports?: string[];
  healthcheck?: object;
  environment?: Record<string, string | null>;
  networks?: string[];
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
}

const root = resolve(import.meta.dirname, '..');
const path = resolve(root, 'docker-compose.yml');
const text = readFileSync(path, 'utf8');
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
const ours = ['repo', 'logic', 'task', 'pusher', 'gateway'];
const secrets = {
  GOCHAT_DATABASE_PASSWORD: 'x',
  GOCHAT_REDIS_PASSWORD: 'x',
  AUTH_PRIVATE_KEY_FILE: './a',
  AUTH_PUBLIC_KEY_FILE: './b',
  GRPC_TOKEN_FILE: './c',
  FILES_SECRET_FILE: './d',
};
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

test('ports are published on the loopback address only', () => {
  const published = Object.values(services).flatMap((service) => service.ports ?? []);
  assert.ok(published.length > 0);
  for (const port of published) assert.match(port, /^127\.0\.0\.1:/);
});

test('no container may gain rights or write into its own files', () => {
  for (const [name, { read_only, cap_drop, security_opt }] of Object.entries(services)) {
    assert.deepEqual(
      { read_only, cap_drop, security_opt },
      { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
      name,
    );
  }
});

test('only im-repo and its migration reach the database and Redis; no container reaches more than it needs', () => {
  const on = (network: string) =>
    Object.keys(services)
      .filter((name) => services[name]?.networks?.includes(network))
      .sort();
  assert.deepEqual(on('storage'), ['migrations', 'mysql', 'redis', 'repo']);
  assert.deepEqual(on('flows'), ['logic', 'provisioning', 'task', 'temporal']);
  for (const [name, { networks = [] }] of Object.entries(services)) {
    assert.ok(networks.length > 0 && !networks.includes('default'), name);
  }
});

test('every image is named exactly, to the patch', () => {
  const images = Object.values(services).map(({ image }) => image);
  const bases = readFileSync(resolve(root, 'Dockerfile'), 'utf8').matchAll(/^FROM (\S+)/gm);
  for (const image of [...images, ...[...bases].map(([, image = '']) => image)]) {
    if (image !== 'gochat:local') assert.match(image, /:\d+\.\d+\.\d+(-[a-z-]+)?$/, image);
  }
});

test('every setting in the README reaches the services that read it', () => {
  const readme = readFileSync(resolve(root, 'README.md'), 'utf8');
  const [, table = ''] = readme.split('## Configuration');
  const told = new Set((table.split('\n## ')[0] ?? '').match(/(?<=`)[A-Z][A-Z0-9_]+(?=`)/g));
  for (const name of ours) {
    const read = readFileSync(resolve(root, 'services', name, 'config.ts'), 'utf8');
    const settings = [...read.matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(([, setting = '']) => setting);
    const missing = settings.filter(
      (setting) => told.has(setting) && !Object.hasOwn(services[name]?.environment ?? {}, setting),
    );
    assert.deepEqual(missing, [], name);
  }
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

test('the development server begins with the search attributes that flows carry, however it is started', () => {
  const wanted = Object.entries(searchAttributeTypes).map(([name, type]) => `${name}=${type}`);
  assert.deepEqual(searchAttributes, wanted);
  const inCompose = services.temporal?.command?.filter((word) => word.startsWith('--search-attribute='));
  assert.deepEqual(
    inCompose,
    wanted.map((attribute) => `--search-attribute=${attribute}`),
  );
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
