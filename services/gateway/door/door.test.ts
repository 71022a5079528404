import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bearer, session, testApp, user } from '../../../test/support/gateway/gateway-app.ts';

const origin = 'https://chat.example';
const corsHeaders = (headers: object) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

test('a page of an allowed origin may call: preflight, answers and problems', async () => {
  const { app } = await testApp({ 'users.getUser': () => ({ user }) }, {}, { origins: origin });
  const asked = { origin, 'access-control-request-method': 'PATCH' };
  for (const url of ['/conversations/5', '/no/such/route', '/users/%ff']) {
    const preflight = await app.inject({ method: 'OPTIONS', url, headers: asked });
    assert.equal(preflight.statusCode, 204);
    const { headers } = preflight;
    assert.equal(headers['access-control-allow-origin'], origin);
    assert.equal(headers['access-control-allow-methods'], 'GET, POST, PUT, PATCH, DELETE');
    assert.equal(
      headers['access-control-allow-headers'],
      'Authorization, Content-Type, Idempotency-Key, If-None-Match',
    );
    assert.equal(headers['access-control-max-age'], '600');
    assert.equal(headers['access-control-allow-credentials'], undefined);
  }
  for (const [url, status] of [
    ['/users/profile', 200],
    ['/no/such/route', 404],
    ['/users/search', 400],
    ['/users/%ff', 400],
  ] as const) {
    const { statusCode, headers } = await app.inject({ url, headers: { ...bearer, origin } });
    assert.equal(statusCode, status);
    assert.equal(headers['access-control-allow-origin'], origin, url);
    assert.equal(headers['access-control-expose-headers'], 'ETag, Retry-After, Location');
    assert.equal(headers.vary, 'Origin');
  }
  const refused = await app.inject({ url: '/users/profile', headers: { origin } });
  assert.deepEqual([refused.statusCode, refused.headers['access-control-allow-origin']], [401, origin]);
});

test('foreign origins get no CORS headers, nor do the gateway’s own pages', async () => {
  const answers = { 'users.getUser': () => ({ user }) };
  for (const [origins, from] of [
    [origin, 'https://evil.example'],
    [origin, 'null'],
    [origin, undefined],
    [origin, 'http://gateway.example:8080'],
    ['', origin],
  ] as const) {
    const { app } = await testApp(answers, {}, { origins });
    const headers = {
      ...bearer,
      host: 'gateway.example:8080',
      ...(from === undefined ? {} : { origin: from }),
    };
    const answer = await app.inject({ url: '/users/profile', headers });
    assert.deepEqual([answer.statusCode, corsHeaders(answer.headers)], [200, []], from);
    const asked = { ...headers, 'access-control-request-method': 'GET' };
    const preflight = await app.inject({ method: 'OPTIONS', url: '/users/profile', headers: asked });
    assert.deepEqual([preflight.statusCode, corsHeaders(preflight.headers)], [405, []], from);
  }
  const { app } = await testApp(answers, {}, { origins: '*' });
  const any = await app.inject({
    url: '/users/profile',
    headers: { ...bearer, origin: 'https://any.example' },
  });
  assert.equal(any.headers['access-control-allow-origin'], '*');
});

test('requests for another host are answered 421, except those of probes', async () => {
  const { app } = await testApp(
    { 'users.getUser': () => ({ user }) },
    {},
    { hosts: 'chat.example', origins: origin },
  );
  const statusOf = async (url: string, host: string) =>
    (await app.inject({ url, headers: { ...bearer, host } })).statusCode;
  assert.equal(await statusOf('/users/profile', 'Chat.example:8080'), 200);
  for (const url of ['/users/profile', '/no/such/route', '/docs', '/openapi.json', '/users/%ff', '/docs/%']) {
    assert.equal(await statusOf(url, 'evil.example'), 421, url);
  }
  assert.deepEqual(
    [await statusOf('/healthz', 'evil.example'), await statusOf('/readyz', '10.0.0.7')],
    [200, 503],
  );
  const { headers, body } = await app.inject({
    url: '/users/profile',
    headers: { ...bearer, host: 'evil.example' },
  });
  assert.match(String(headers['content-type']), /^application\/problem\+json/);
  assert.deepEqual([JSON.parse(body).status, JSON.parse(body).code], [421, 'INVALID_ARGUMENT']);
});

test('requests without a valid token are counted per address, and this limit refuses no signed-in user', async () => {
  const answers = { 'auth.login': () => ({ session }), 'users.getUser': () => ({ user }) };
  const { app } = await testApp(answers, {}, { anonymousPerMinute: 3, trustProxy: '1' });
  const statusOf = async (url: string, from: string, headers: Record<string, string> = {}) =>
    (await app.inject({ url, headers: { 'x-forwarded-for': from, ...headers } })).statusCode;
  const [here, there] = ['198.51.100.7', '198.51.100.8'];
  assert.equal(await statusOf('/openapi.json', here), 200);
  assert.equal(await statusOf('/users/profile', `6.6.6.6, ${here}`), 401);
  assert.equal(await statusOf('/users/profile', here, { authorization: 'Bearer bad' }), 401);
  assert.equal(await statusOf('/users/profile', here, { authorization: 'Bearer bad' }), 429);
  const refused = await app.inject({ url: '/openapi.json', headers: { 'x-forwarded-for': here } });
  assert.equal(refused.statusCode, 429);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  assert.equal(await statusOf('/users/profile', here, bearer), 200);
  assert.equal(await statusOf('/healthz', here), 200);
  assert.equal(await statusOf('/openapi.json', there), 200);
});

test('requests for unknown routes are counted as well, except for probes and preflights', async () => {
  const { app } = await testApp({ 'users.getUser': () => ({ user }) }, {}, { anonymousPerMinute: 3 });
  const statusOf = async (method: 'GET' | 'POST' | 'OPTIONS', url: string, headers = {}) =>
    (await app.inject({ method, url, headers })).statusCode;
  const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'GET' };
  for (let times = 0; times < 5; times += 1) {
    assert.equal(await statusOf('POST', '/healthz?a=b'), 405);
    assert.equal(await statusOf('OPTIONS', '/users/profile', preflight), 405);
    assert.equal(await statusOf('GET', '/nowhere', bearer), 404);
    assert.equal(await statusOf('GET', '/%', bearer), 400);
  }
  assert.deepEqual(
    [
      await statusOf('GET', '/wp-login.php'),
      await statusOf('POST', '/openapi.json'),
      await statusOf('GET', '/users/%ff', { authorization: 'Bearer bad' }),
      await statusOf('GET', '/wp-login.php'),
      await statusOf('POST', '/openapi.json'),
      await statusOf('GET', '/%c3?a=b'),
    ],
    [404, 405, 400, 429, 429, 429],
  );
  assert.equal(await statusOf('GET', '/users/profile', bearer), 200);
});

test('requests of a signed-in user for unknown routes count in the limit of the user', async () => {
  const { app } = await testApp({}, { requestsPerMinute: 2 }, { anonymousPerMinute: 1 });
  const statusOf = async () => (await app.inject({ url: '/nowhere', headers: bearer })).statusCode;
  assert.deepEqual([await statusOf(), await statusOf(), await statusOf()], [404, 404, 429]);
});

test('a path that cannot be decoded is refused as any other unknown one, with all headers', async () => {
  const { app } = await testApp();
  for (const url of ['/%', '/users/%ff', '/%c3%28/', '/docs/%zz', 'http://gateway.example/%ff?a=%41']) {
    const { statusCode, headers, body } = await app.inject({ url, headers: bearer });
    assert.deepEqual([statusCode, JSON.parse(body).code], [400, 'INVALID_ARGUMENT'], url);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.match(String(headers['content-security-policy']), /^default-src 'none'/);
    assert.equal(headers['cache-control'], 'no-store');
  }
  const encoded = await app.inject({ url: '/users/%25ff', headers: bearer });
  assert.equal(encoded.statusCode, 404);
});
