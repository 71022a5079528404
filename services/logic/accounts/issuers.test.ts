import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { codeOf } from '../../../lib/errors.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { createIssuers, type Issuer, readIssuers } from './issuers.ts';

const provider: Issuer = {
  issuer: 'https://id.example',
  audience: 'chat',
  jwksUrl: 'https://id.example/keys',
  usernameClaim: 'nick',
  displayNameClaim: 'name',
  avatarUrlClaim: 'picture',
};

/** A key pair. ES256 is made much faster than RS256. */
async function newKey(kid: string | undefined, alg = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    kid,
    alg,
    publicKey,
    privateKey,
    jwk: { ...(await exportJWK(publicKey)), ...(kid ? { kid } : {}) },
  };
}
type Key = Awaited<ReturnType<typeof newKey>>;

const sign = (key: Key, claims: JWTPayload = {}, lifetime: string | number = '5m') => {
  const token = new SignJWT({ sub: 'p-1', ...claims })
    .setProtectedHeader({ alg: key.alg, ...(key.kid ? { kid: key.kid } : {}) })
    .setIssuer(claims.iss ?? provider.issuer)
    .setAudience(claims.aud ?? 'chat');
  return (lifetime === '' ? token : token.setExpirationTime(lifetime)).sign(key.privateKey);
};

/** An identity provider that the test controls. */
function identityProvider(keys: Key[], issuer: Issuer = provider) {
  const state = { keys, reachable: true, asked: 0, now: 1_000_000, held: Promise.resolve() };
  const issuers = createIssuers([issuer], () =>
    createIssuerKeys({
      now: () => state.now,
      async load() {
        state.asked += 1;
        await state.held;
        if (!state.reachable) throw new Error('not reachable');
        return JSON.stringify({ keys: state.keys.map(({ jwk }) => jwk) });
      },
    }),
  );
  return { state, verify: issuers.verify };
}

/** From now on, the provider answers only after the returned function is called. */
function hold(state: { held: Promise<void> }): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  state.held = promise;
  return resolve;
}

const refused = (call: Promise<unknown>, code: string, why?: string) =>
  assert.rejects(call, (error) => {
    assert.equal(codeOf(error), code, why);
    return true;
  });

const nowS = () => Math.floor(Date.now() / 1000);

test('a token identifies the user, with the configured claims that are text', async () => {
  for (const alg of ['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA']) {
    const key = await newKey('k1', alg);
    const { verify } = identityProvider([key]);
    const token = await sign(key, { nick: 'Ann', name: 'Ann Lee', picture: 5, email: 'a@example' });
    assert.deepEqual(await verify(token), {
      issuer: provider.issuer,
      subject: 'p-1',
      username: 'Ann',
      displayName: 'Ann Lee',
    });
  }
});

test('another claim may identify the user, also with a number', async () => {
  const key = await newKey('k1');
  const { verify } = identityProvider([key], { ...provider, userClaim: 'uid' });
  assert.equal((await verify(await sign(key, { uid: 77 }))).subject, '77');
  assert.equal((await verify(await sign(key, { uid: 2 ** 53 - 1 }))).subject, '9007199254740991');
  // JSON.parse rounds a greater number, so two users would get the same subject.
  const rounded = [2 ** 53, -(2 ** 53), 1e21, 0.5];
  for (const uid of [...rounded, undefined, '', null, {}, true, 'x'.repeat(256), '\ud800']) {
    await refused(verify(await sign(key, { uid })), 'UNAUTHENTICATED', String(uid));
  }
});

test('a token of another issuer, for another audience, with another key or algorithm, or without an expiry is refused', async () => {
  const key = await newKey('k1', 'RS256');
  const { verify, state } = identityProvider([key]);
  const spki = Buffer.from(await exportSPKI(key.publicKey));
  const shared = (secret: Uint8Array) =>
    new SignJWT({ sub: 'p-1' })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .setIssuer(provider.issuer)
      .setAudience('chat')
      .setExpirationTime('5m')
      .sign(secret);
  const good = await sign(key);
  const [header, payload] = good.split('.');
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  const early = [
    'x',
    'a.b.c',
    `${none}.${payload}.`,
    await sign(key, { iss: 'https://other.example' }),
    await sign(key, { aud: 'other' }),
    await shared(spki),
  ];
  for (const token of early) await refused(verify(token), 'UNAUTHENTICATED', token.slice(0, 60));
  assert.equal(state.asked, 0, 'no key is fetched for them');
  const late = [
    `${header}.${payload}.${'A'.repeat(342)}`,
    await sign(await newKey('k1', 'RS256')),
    await sign(key, {}, ''),
    await sign(key, {}, nowS() - 90),
    await sign(key, { nbf: nowS() + 90 }),
  ];
  for (const token of late) await refused(verify(token), 'UNAUTHENTICATED', token.slice(0, 60));
  await verify(good);
  await verify(await sign(key, { aud: ['other', 'chat'] }));
});

test('clocks may differ by a minute', async () => {
  const key = await newKey('k1');
  const { verify } = identityProvider([key]);
  await verify(await sign(key, {}, nowS() - 50));
  await verify(await sign(key, { nbf: nowS() + 50 }));
});

test('only the algorithms that are configured are taken', async () => {
  const key = await newKey('k1', 'ES256');
  const { verify } = identityProvider([key], { ...provider, algorithms: ['RS256'] });
  await refused(verify(await sign(key)), 'UNAUTHENTICATED');
});

test('an unknown key id causes the keys to be fetched again, at most once per 30 s', async () => {
  const [first, second, third] = [await newKey('k1'), await newKey('k2'), await newKey('k3')];
  const { verify, state } = identityProvider([first]);
  await Promise.all([verify(await sign(first)), verify(await sign(first))]);
  assert.equal(state.asked, 1);
  state.keys = [first, second];
  await verify(await sign(second));
  for (let i = 0; i < 3; i++) await refused(verify(await sign(third)), 'UNAUTHENTICATED');
  assert.equal(state.asked, 2);
  state.keys = [second, third];
  state.now += 30_000;
  await verify(await sign(third));
  assert.equal(state.asked, 3);
  await refused(verify(await sign(first)), 'UNAUTHENTICATED', 'a key that was taken back');
});

test('while the keys cannot be fetched, tokens with unknown keys get UNAVAILABLE, and those with known keys are accepted', async () => {
  const [first, second] = [await newKey('k1'), await newKey('k2')];
  const { verify, state } = identityProvider([first]);
  state.reachable = false;
  await refused(verify(await sign(first)), 'UNAVAILABLE');
  const { asked } = state;
  await refused(verify(await sign(first)), 'UNAVAILABLE');
  assert.equal(state.asked, asked, 'not asked for again at once');
  state.reachable = true;
  state.now += 1000;
  await verify(await sign(first));
  state.reachable = false;
  await verify(await sign(first));
  await refused(verify(await sign(second)), 'UNAVAILABLE');
  state.now += 23 * 3_600_000;
  await verify(await sign(first));
  state.now += 3_600_001;
  await refused(verify(await sign(first)), 'UNAVAILABLE');
});

test('a token with a new key waits while the keys are being fetched', async () => {
  const [first, second] = [await newKey('k1'), await newKey('k2')];
  const { verify, state } = identityProvider([first]);
  await verify(await sign(first));
  const tokens = await Promise.all(Array.from({ length: 5 }, () => sign(second)));
  const answer = hold(state);
  const early = tokens.slice(0, 3).map(verify);
  await new Promise(setImmediate);
  const late = tokens.slice(3).map(verify);
  await new Promise(setImmediate);
  state.keys = [first, second];
  answer();
  assert.equal((await Promise.all([...early, ...late])).length, 5);
  assert.equal(state.asked, 2);

  state.now += 30_000;
  state.reachable = false;
  const third = await sign(await newKey('k3'));
  const fail = hold(state);
  const calls = [verify(third)];
  await new Promise(setImmediate);
  calls.push(verify(third));
  await new Promise(setImmediate);
  fail();
  for (const call of calls) await refused(call, 'UNAVAILABLE');
});

test('old keys are refreshed in the background, or before the check if they were unused for long', async () => {
  const [first, second] = [await newKey('k1'), await newKey('k2')];
  const { verify, state } = identityProvider([first]);
  const token = await sign(first);
  await verify(token);
  state.now += 11 * 60_000;
  state.keys = [second];
  const answer = hold(state);
  await verify(token);
  assert.equal(state.asked, 2);
  answer();
  // The provider has revoked the key.
  await eventually(() =>
    verify(token).then(
      () => false,
      (error) => codeOf(error) === 'UNAUTHENTICATED',
    ),
  );

  state.keys = [first];
  state.now += 30_000;
  await verify(token);
  state.keys = [second];
  state.now += 25 * 60_000;
  await refused(verify(token), 'UNAUTHENTICATED', 'a key that nobody looked at for long');
});

test('keys without a name are tried one after the other', async () => {
  const [first, second] = [await newKey(undefined), await newKey(undefined)];
  const { verify } = identityProvider([first, second]);
  assert.equal((await verify(await sign(second))).subject, 'p-1');
});

test('keys are fetched over HTTP, and neither a redirect nor an endless answer is accepted', async (t) => {
  const key = await newKey('k1', 'RS256');
  let path = '/keys';
  const server = createServer((request, response) => {
    if (request.url === '/elsewhere') return response.writeHead(302, { location: '/keys' }).end();
    if (request.url === '/endless') return response.end('x'.repeat(600 * 1024));
    response.end(JSON.stringify({ keys: [key.jwk] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const keysAt = () =>
    createIssuerKeys({ jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}` });
  const wanted = { kid: 'k1', alg: 'RS256' };
  assert.equal((await keysAt().matching(wanted)).length, 1);
  for (path of ['/elsewhere', '/endless']) await refused(keysAt().matching(wanted), 'UNAVAILABLE', path);
});

test('an invalid file of issuers is refused at the start, with the reason', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-issuers-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'issuers.json');
  const read = (content: unknown) => {
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return readIssuers(file);
  };
  assert.deepEqual(readIssuers(''), []);
  assert.deepEqual(read([provider]), [provider]);
  const { jwksUrl: _, ...withoutKeys } = provider;
  for (const [content, why] of [
    ['{', /readable file of JSON/],
    [provider, /not a list of issuers/],
    [[{ ...provider, audience: 5 }], /audience/],
    [[{ ...provider, algorithms: ['HS256'] }], /algorithms/],
    [[{ ...provider, jwksUrl: 'file:///etc/passwd' }], /jwksUrl/],
    [
      [{ ...provider, jwksUrl: 'https://id.example:port/keys' }],
      /jwksUrl for https:\/\/id.example that is no address/,
    ],
    [[{ ...provider, jwksUrl: 'https://me:secret@id.example/keys' }], /jwksUrl.* has a password/],
    [[withoutKeys], /either jwksUrl or jwksFile/],
    [[{ ...provider, jwksFile: 'x' }], /either jwksUrl or jwksFile/],
  ] as const) {
    assert.throws(() => read(content), why);
  }
  assert.throws(() => readIssuers(join(folder, 'missing.json')), /readable file/);
});
