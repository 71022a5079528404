import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { output } from './process/program.ts';

const root = resolve(import.meta.dirname, '..');
const checkout = mkdtempSync(join(tmpdir(), 'gochat-rules-'));
after(() => rmSync(checkout, { recursive: true }));

/** A miniature checkout: the files that the rules are about, with the imports to check. */
const files: Record<string, string> = {
  'activities/send.ts':
    "import { fail } from '../lib/errors.ts'; export type Send = () => void; export const send = fail;",
  'lib/errors.ts': 'export const fail = 1;',
  'lib/kafka/bus.ts': "import kafka from 'kafkajs'; export const bus = kafka;",
  'lib/grpc/clock.ts': "import { bus } from '../kafka/bus.ts'; export const clock = bus;",
  'services/repo/store.ts': "import mysql from 'mysql2/promise'; export const store = mysql;",
  'services/core/main.ts': "import { store } from '../repo/store.ts'; console.log(store);",
  'services/repo/main.ts': "import { store } from './store.ts'; console.log(store);",
  'workflows/good.ts':
    "import type { Send } from '../activities/send.ts'; import { fail } from '../lib/errors.ts'; export type G = Send; export const g = fail;",
  'workflows/index.ts': "export * from './good.ts'; export * from './purge-guests/workflow.ts';",
  'workflows/erase-user/contract.ts': 'export const erase = 1;',

  'workflows/calls-activity.ts': "import { send } from '../activities/send.ts'; export default send;",
  'workflows/reads-clock.ts': "import { clock } from '../lib/grpc/clock.ts'; export default clock;",
  'workflows/reads-file.ts': "import { readFileSync } from 'node:fs'; export default readFileSync;",
  'workflows/purge-guests/workflow.ts':
    "import { erase } from '../erase-user/contract.ts'; export const purge = erase;",
  'services/logic/main.ts': "import type { store } from '../repo/store.ts'; export type S = typeof store;",
  'lib/wire/frames.ts': 'export const frames = 1;',
  'services/logic/shows.ts': "import { frames } from '../../lib/wire/frames.ts'; console.log(frames);",
  'services/repo/storage/shows.ts':
    "import { frames } from '../../../lib/wire/frames.ts'; export const f = frames;",
  'services/pusher/main.ts': "import Redis from 'ioredis'; console.log(Redis);",
  'services/task/main.ts': "import kafka from 'kafkajs'; console.log(kafka);",
  'lib/a.ts': "import { b } from './b.ts'; export const a = b;",
  'lib/b.ts': "import { a } from './a.ts'; export const b = a;",
  'lib/knows.ts': "import { store } from '../services/repo/store.ts'; export const s = store;",
  'lib/forgotten.ts': 'export const nobody = 1;',
  'lib/upwards.ts': "import { bus } from './kafka/bus.ts'; export const u = bus;",
  'services/repo/cache/cache.ts': "import { rows } from '../storage/rows.ts'; export const cache = rows;",
  'services/repo/storage/rows.ts': 'export const rows = 1;',
  'services/repo/storage/upwards.ts': "import { cache } from '../cache/cache.ts'; export const u = cache;",
  'services/repo/storage/to-the-top.ts': "import { store } from '../store.ts'; export const t = store;",
  'services/repo/attic/unlisted.ts': "import { rows } from '../storage/rows.ts'; export const r = rows;",
};

const violations = [
  'workflows-know-activities-by-type-only: workflows/calls-activity.ts',
  'workflows-import-no-io: workflows/reads-clock.ts',
  'workflows-import-no-node: workflows/reads-file.ts',
  'flows-are-apart: workflows/purge-guests/workflow.ts',
  'services-are-apart: services/logic/main.ts',
  'only-repo-touches-storage: services/pusher/main.ts',
  'storage-knows-no-frames: services/repo/storage/shows.ts',
  'only-lib-kafka-imports-kafkajs: services/task/main.ts',
  'no-cycles: lib/a.ts',
  'lib-knows-nobody: lib/knows.ts',
  'no-orphans: lib/forgotten.ts',
  'rooms-import-downwards: lib/upwards.ts',
  'rooms-import-downwards: services/repo/storage/upwards.ts',
  'rooms-import-downwards: services/repo/storage/to-the-top.ts',
  'every-room-is-listed: services/repo/attic/unlisted.ts',
];

test('every rule reports the violation made for it, and nothing else', async () => {
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    writeFileSync(join(checkout, path), source);
  }
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  writeFileSync(join(checkout, 'package.json'), readFileSync(join(root, 'package.json')));
  const cruise = [
    join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
    ...['--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json'],
    ...['activities', 'lib', 'services', 'workflows'],
  ];
  const { stdout } = await output(process.execPath, cruise, { cwd: checkout });
  const found = (
    JSON.parse(stdout) as { summary: { violations: { rule: { name: string }; from: string }[] } }
  ).summary.violations;
  assert.deepEqual(found.map(({ rule, from }) => `${rule.name}: ${from}`).sort(), violations.sort());
});
