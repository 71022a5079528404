import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { Session } from '../../clients/sdk/rest.ts';
import { gateway2Url, gatewayUrl, uniqueName } from '../support/people/people.ts';

/** What the gateway answers to bytes, until it closes. */
function answerTo(bytes: string): Promise<string> {
  const { hostname, port } = new URL(gatewayUrl);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

test('the reference is there without a redirect, with or without a slash, also over HTTP/1.0', async () => {
  for (const path of ['/docs', '/docs/', '/docs?theme=dark']) {
    const response = await fetch(new URL(path, gatewayUrl), { redirect: 'manual' });
    assert.equal(response.status, 200, path);
    const [, script = ''] = /<script src="([^"]+)"/.exec(await response.text()) ?? [];
    assert.equal((await fetch(new URL(script, response.url))).status, 200, script);
  }
  for (const path of ['/docs', '/healthz']) {
    assert.match(await answerTo(`GET ${path} HTTP/1.0\r\n\r\n`), /^HTTP\/1\.1 200 /, path);
  }
  const unnamed = await answerTo('GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.match(unnamed, /^HTTP\/1\.1 400 .*problem\+json.*INVALID_ARGUMENT/s);
});

test('an address that is none says so before its body is looked at', async () => {
  for (const [method, path, status] of [
    ['POST', '/no/such/route', 404],
    ['PATCH', '/auth/guest', 405],
  ] as const) {
    const response = await fetch(new URL(path, gatewayUrl), { method, body: '{"broken"' });
    assert.equal(response.status, status, path);
  }
});

test('a guest needs no body, and a key makes no two callers the same guest', async () => {
  const headers = { 'idempotency-key': uniqueName('key') };
  const guests = await Promise.all(
    [gatewayUrl, gateway2Url, gatewayUrl].map(async (base) => {
      const response = await fetch(new URL('/auth/guest', base), { method: 'POST', headers });
      assert.equal(response.status, 201);
      return ((await response.json()) as Session).user.id;
    }),
  );
  assert.equal(new Set(guests).size, 3, guests.join());
});
