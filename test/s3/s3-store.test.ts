import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import {
  CreateBucketCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createLogger } from '../../lib/log.ts';
import { createMetrics } from '../../lib/metrics.ts';
import { openStore } from '../../services/repo/store/open-store.ts';
import type { ObjectStore } from '../../services/repo/store/store.ts';
import { atEnd } from '../support/at-end.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/servers/free-port.ts';
import { testStore } from '../support/store/store-contract.ts';
import { installS3Server } from './install.ts';

const buildMs = 12 * 60_000;
const credentials = { accessKeyId: 'gochat', secretAccessKey: 'a secret of the tests' };
Object.assign(process.env, {
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
});

const home = mkdtempSync(join(tmpdir(), 'gochat-s3-'));
atEnd(() => rmSync(home, { recursive: true, force: true }));
let endpoint = '';
let server: ChildProcess;
let client: S3Client;
let store: ObjectStore;

const open = (bucket: string) =>
  openStore('FILES_URL', `s3://${bucket}/folder?endpoint=${endpoint}&region=us-east-1`, {
    name: 'test',
    log: createLogger('test', 'silent'),
    metrics: createMetrics('test'),
  });

before(
  async () => {
    const program = await installS3Server(join(home, 'build.log'));
    const port = await freePort();
    endpoint = `http://127.0.0.1:${port}`;
    for (const folder of ['buckets', 'versions']) mkdirSync(join(home, folder));
    const args = [
      '--port',
      `127.0.0.1:${port}`,
      'posix',
      '--versioning-dir',
      join(home, 'versions'),
      join(home, 'buckets'),
    ];
    const env = {
      ...process.env,
      ROOT_ACCESS_KEY: credentials.accessKeyId,
      ROOT_SECRET_KEY: credentials.secretAccessKey,
    };
    server = spawn(program, args, { env, stdio: 'ignore' });
    atEnd(() => server.kill());
    client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    atEnd(() => client.destroy());
    await eventually(() =>
      client.send(new CreateBucketCommand({ Bucket: 'plain' })).then(
        () => true,
        () => false,
      ),
    );
    store = await open('plain');
    atEnd(() => store.close());
  },
  { timeout: buildMs },
);

testStore(() => store);

test('a missing bucket is a store that does not work, not a missing object', async () => {
  const missing = await open('missing');
  await assert.rejects(missing.get('a/b'), { code: 'UNAVAILABLE' });
  await assert.rejects(missing.put('a/b', Buffer.from('x'), { size: 1 }), { code: 'UNAVAILABLE' });
  await missing.close();
});

test('a deletion takes all versions along', async () => {
  await client.send(new CreateBucketCommand({ Bucket: 'versioned' }));
  await client.send(
    new PutBucketVersioningCommand({ Bucket: 'versioned', VersioningConfiguration: { Status: 'Enabled' } }),
  );
  const versioned = await open('versioned');
  const key = `test/${randomUUID()}`;
  for (let round = 0; round < 2; round++) {
    assert.equal(await versioned.put(key, Buffer.from('old text'), { size: 8 }), 'stored');
    if (round === 0) await versioned.delete(key);
  }
  await versioned.put(`${key}-other`, Buffer.from('x'), { size: 1 });
  await versioned.delete(key);
  const { Versions = [], DeleteMarkers = [] } = await client.send(
    new ListObjectVersionsCommand({ Bucket: 'versioned', Prefix: `folder/${key}` }),
  );
  assert.deepEqual(
    [...Versions, ...DeleteMarkers].map(({ Key }) => Key),
    [`folder/${key}-other`],
  );
  await versioned.close();
});

test('a server that is gone is UNAVAILABLE, and used again when it is back', async () => {
  server.kill('SIGSTOP');
  await assert.rejects(store.head('a/b'), { code: 'UNAVAILABLE' });
  server.kill('SIGCONT');
  await eventually(() =>
    store.head('a/b').then(
      (found) => found === undefined,
      () => false,
    ),
  );
  assert.ok(readdirSync(join(home, 'buckets')).includes('plain'));
});
