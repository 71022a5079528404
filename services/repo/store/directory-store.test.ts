import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { atEnd } from '../../../test/support/at-end.ts';
import { allOf, testStore } from '../../../test/support/store/store-contract.ts';
import { createDirectoryStore } from './directory-store.ts';

const root = mkdtempSync(join(tmpdir(), 'gochat-store-'));
atEnd(() => rm(root, { recursive: true, force: true }));
const store = createDirectoryStore(root);

testStore(() => store);

test('nothing unfinished remains, not even of a process that died', async () => {
  const unfinished = join(root, '.unfinished');
  assert.deepEqual(readdirSync(unfinished), []);

  await writeFile(join(unfinished, 'old'), 'x');
  await utimes(join(unfinished, 'old'), 1000, 1000);
  await writeFile(join(unfinished, 'new'), 'x');
  await createDirectoryStore(root).close();
  assert.deepEqual(readdirSync(unfinished), ['new']);
});

test('without its directory, a store fails instead of answering that nothing is there', async () => {
  const missing = createDirectoryStore(join(root, 'not-mounted'));
  await assert.rejects(missing.get('a/b'), { code: 'ENOENT' });
  await assert.rejects(missing.head('a/b'), { code: 'ENOENT' });
  await assert.rejects(missing.put('a/b', Buffer.from('x'), { size: 1 }), { code: 'ENOENT' });
  await assert.rejects(allOf(missing.list('')), { code: 'ENOENT' });
  await mkdir(join(root, 'not-mounted'));
  assert.equal(await missing.put('a/b', Buffer.from('x'), { size: 1 }), 'stored');
});
