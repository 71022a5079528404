import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { filePlace } from './file.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'gochat-file-'));
const entries = async (path: string) => [...(await filePlace(path).read())].sort();

test('a file has what was written, all of a write or nothing of it', async () => {
  const path = join(folder(), 'deep', 'chat');
  const place = filePlace(path);
  await place.write(
    new Map<string, unknown>([
      ['a', 1],
      ['b', { c: 'ü' }],
    ]),
  );
  await place.write(new Map([['a', undefined]]));
  assert.deepEqual(await entries(path), [['b', { c: 'ü' }]]);
  appendFileSync(path, '[["b",2],["d"');
  assert.deepEqual(await entries(path), [['b', { c: 'ü' }]], 'a crash cut off the last line');
  await place.clear();
  assert.deepEqual(await entries(path), []);
  rmSync(folder(), { recursive: true });
});

test('a file that is written for long stays as small as what it holds', async () => {
  const path = join(folder(), 'chat');
  const place = filePlace(path);
  const many = (round: number) =>
    new Map(Array.from({ length: 1000 }, (_, n) => [`key ${n % 10}`, `${round}`]));
  for (let round = 0; round < 12; round += 1) await place.write(many(round));
  assert.ok(statSync(path).size < 2_000, `${statSync(path).size} bytes`);
  assert.equal(statSync(path).mode & 0o777, 0o600, 'others may not read it');
  assert.ok(readFileSync(path, 'utf8').endsWith('\n'));
});

test('a writer that was replaced writes nothing more', async () => {
  const place = filePlace(join(folder(), 'chat'));
  await place.write(new Map([['writer', 'new']]));
  await assert.rejects(place.write(new Map([['a', 1]]), { key: 'writer', value: 'old' }));
  await place.write(new Map([['a', 2]]), { key: 'writer', value: 'new' });
  assert.equal((await place.read()).get('a'), 2);
});
