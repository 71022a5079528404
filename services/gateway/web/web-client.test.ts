import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { testApp } from '../../../test/support/gateway/gateway-app.ts';

const page = '<!doctype html><title>GoChat</title>';
const embedded = '<!doctype html><meta name="origins" content="allowed-origins" />';
const script = 'console.log(1);'.repeat(100);

function builtClient(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-web-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), page);
  writeFileSync(join(folder, 'embed.html'), embedded);
  writeFileSync(join(folder, 'assets', 'main-abc.js'), script);
  writeFileSync(join(folder, 'assets', 'main-abc.js.gz'), gzipSync(script));
  writeFileSync(join(folder, 'assets', 'main-abc.js.br'), brotliCompressSync(script));
  writeFileSync(join(folder, '.made-from'), 'secret');
  return folder;
}

const webFolder = builtClient();

test('the page is checked anew every time, and has the strict policy', async () => {
  const { app } = await testApp({}, {}, { webFolder });
  const first = await app.inject({ url: '/' });
  assert.deepEqual([first.statusCode, first.body], [200, page]);
  assert.match(String(first.headers['content-type']), /^text\/html/);
  assert.equal(first.headers['cache-control'], 'no-cache');
  assert.equal(
    first.headers['content-security-policy'],
    "default-src 'self'; img-src 'self' blob: data: https:; media-src 'self' blob:; frame-ancestors 'none'",
  );
  assert.equal(first.headers['x-content-type-options'], 'nosniff');
  const again = await app.inject({ url: '/', headers: { 'if-none-match': String(first.headers.etag) } });
  assert.deepEqual([again.statusCode, again.body], [304, '']);
});

test('files with a hash in their names are kept for good, and come compressed to those who take it', async () => {
  const { app } = await testApp({}, {}, { webFolder });
  const get = (encodings?: string) =>
    app.inject({ url: '/assets/main-abc.js', headers: encodings ? { 'accept-encoding': encodings } : {} });
  const plain = await get();
  assert.equal(plain.body, script);
  assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
  const brotli = await get('gzip, deflate, br;q=0.9');
  assert.deepEqual([brotli.headers['content-encoding'], brotli.headers.vary], ['br', 'Accept-Encoding']);
  assert.equal(brotliDecompressSync(brotli.rawPayload).toString(), script);
  const gzip = await get('gzip, br;q=0');
  assert.equal(gzip.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(gzip.rawPayload).toString(), script);
});

test('only allowed origins may embed the client, and the page to be embedded names them', async () => {
  const alone = await (await testApp({}, {}, { webFolder })).app.inject({ url: '/embed' });
  assert.match(String(alone.headers['content-security-policy']), /frame-ancestors 'none'$/);
  const origins = 'https://shop.example, https://other.example';
  const { app } = await testApp({}, {}, { webFolder, origins });
  const answer = await app.inject({ url: '/embed' });
  const named = 'https://shop.example https://other.example';
  assert.ok(String(answer.headers['content-security-policy']).endsWith(`frame-ancestors ${named}`));
  assert.match(answer.body, new RegExp(`content="${named}"`));
  assert.match(
    String((await app.inject({ url: '/' })).headers['content-security-policy']),
    /frame-ancestors 'none'$/,
  );
});

test('nothing but files of the client is served, and none before it is built', async () => {
  const { app } = await testApp({}, {}, { webFolder });
  for (const url of [
    '/assets/none.js',
    '/assets/..%2f.made-from',
    '/assets/../.made-from',
    '/assets/main-abc.js.br',
  ]) {
    assert.equal((await app.inject({ url })).statusCode, 404, url);
  }
  const unbuilt = await testApp({}, {}, { webFolder: join(webFolder, 'none') });
  const answer = await unbuilt.app.inject({ url: '/' });
  assert.equal(answer.statusCode, 404);
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
});

test('many people behind one address may open the client', async () => {
  const { app } = await testApp({}, {}, { webFolder, anonymousPerMinute: 2 });
  for (let n = 0; n < 5; n += 1) assert.equal((await app.inject({ url: '/' })).statusCode, 200);
});
