import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { assertDigest, assertDigests, cached, parseDigests } from './downloads.ts';

const hello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gochat-downloads-'));
  process.env.XDG_CACHE_HOME = folder;
});

afterEach(() => {
  delete process.env.XDG_CACHE_HOME;
  rmSync(folder, { recursive: true });
});

test('a download is good only if it is the pinned one, byte for byte', async () => {
  const file = join(folder, 'a.jar');
  writeFileSync(file, 'hello');
  await assertDigest(file, hello);
  writeFileSync(file, 'hello!');
  await assert.rejects(assertDigest(file, hello), /a\.jar is not the pinned one/);
});

test('a file too many or one too few is refused', async () => {
  writeFileSync(join(folder, 'a.jar'), 'hello');
  await assertDigests(folder, new Map([['a.jar', hello]]));
  await assert.rejects(assertDigests(folder, new Map()), /brought a\.jar, which is not pinned/);
  const two = new Map([
    ['a.jar', hello],
    ['b.jar', hello],
  ]);
  await assert.rejects(assertDigests(folder, two), /lacks b\.jar/);
});

test('a downloaded file is not downloaded again', async () => {
  let downloads = 0;
  const fill = async (draft: string) => {
    downloads += 1;
    writeFileSync(join(draft, 'program'), 'x');
  };
  const path = await cached('program-1.0', fill);
  assert.equal(await cached('program-1.0', fill), path);
  assert.deepEqual([downloads, readdirSync(path)], [1, ['program']]);
});

test('an interrupted download leaves nothing behind and is tried again', async () => {
  const broken = cached('program-1.0', async (draft) => {
    writeFileSync(join(draft, 'half'), 'x');
    throw new Error('network');
  });
  await assert.rejects(broken, /network/);
  assert.deepEqual(readdirSync(join(folder, 'gochat')), []);
});

test('a line that is no digest is refused', () => {
  assert.deepEqual(parseDigests(`${hello}  a.jar\n`), new Map([['a.jar', hello]]));
  assert.throws(() => parseDigests('hello a.jar\n'), /not a digest line/);
});
