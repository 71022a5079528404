import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, importPKCS8, SignJWT } from 'jose';
import { GoChatError } from '../../../lib/errors.ts';
import { tokenAlgorithm, verifyAccessTokens } from '../../../lib/tokens.ts';
import { createTokens } from './tokens.ts';

const newKey = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const create = (...privateKeyPems: string[]) =>
  createTokens({
    privateKeyPems: privateKeyPems.length > 0 ? privateKeyPems : [newKey()],
    accessTtlS: 900,
    refreshTtlMs: 1_000_000,
  });

const soon = () => Date.now() + 900_000;
const unauthenticated = (error: unknown) => error instanceof GoChatError && error.code === 'UNAUTHENTICATED';

test('an access token has the user, the login session, the expiry, the issuer, the audience and the key id', async () => {
  const tokens = await create();
  const { verify } = verifyAccessTokens(tokens.publicKeys);
  const token = await tokens.access({ id: '7', isGuest: true }, 'session', soon());
  const { expiresAt, ...rest } = await verify(token);
  assert.deepEqual(rest, { userId: '7', sessionId: 'session', isGuest: true });
  assert.ok(Math.abs(expiresAt - Date.now() - 900_000) < 2000);
  assert.deepEqual(await verify(token), { ...rest, expiresAt });
  const { iss, aud } = decodeJwt(token);
  assert.deepEqual([iss, aud], ['gochat', 'gochat']);
  assert.equal(decodeProtectedHeader(token).kid, tokens.publicKeys[0]?.jwk.kid);
});

test('a token signed by another key, changed, expired, without key or audience, or of another kind is refused', async () => {
  const pem = newKey();
  const tokens = await create(pem);
  const { verify } = verifyAccessTokens(tokens.publicKeys);
  const user = { id: '7', isGuest: false };
  const good = await tokens.access(user, 's', soon());
  const [header, payload, signature] = good.split('.');
  const admin = Buffer.from(JSON.stringify({ sub: '1', sid: 's', exp: 9e9, iss: 'gochat' })).toString(
    'base64url',
  );
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'access+jwt' })).toString('base64url');
  const kid = tokens.publicKeys[0]?.kid ?? '';
  const signed = async (head: object, audience = 'gochat') =>
    new SignJWT({ sid: 's' })
      .setProtectedHeader({ alg: tokenAlgorithm, typ: 'access+jwt', kid, ...head })
      .setIssuer('gochat')
      .setAudience(audience)
      .setSubject('7')
      .setExpirationTime('5m')
      .sign(await importPKCS8(pem, tokenAlgorithm));
  await verify(await signed({}));
  const bad = [
    '',
    'x',
    'a.b.c',
    'x'.repeat(5000),
    `${header}.${admin}.${signature}`,
    `${none}.${payload}.`,
    tokens.refresh(randomUUID(), 0),
    await signed({ kid: undefined }),
    await signed({ kid: 'another' }),
    await signed({ typ: 'refresh+jwt' }),
    await signed({}, 'another'),
    await (await create()).access(user, 's', soon()),
    await tokens.access(user, 's', Date.now() - 1000),
  ];
  for (const token of bad) await assert.rejects(verify(token), unauthenticated, token.slice(0, 40));
});

test('a token that was valid is refused once it has expired', async (t) => {
  const tokens = await create();
  const { verify } = verifyAccessTokens(tokens.publicKeys);
  const token = await tokens.access({ id: '7', isGuest: false }, 's', soon());
  await verify(token);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 901_000 });
  await assert.rejects(verify(token), unauthenticated);
});

test('the first of several keys signs, and tokens of any of them are accepted', async () => {
  const [first, second] = [newKey(), newKey()];
  const [before, after] = [await create(first), await create(second, first)];
  const { verify } = verifyAccessTokens(after.publicKeys);
  const user = { id: '7', isGuest: false };
  const session = randomUUID();
  const [old, fresh] = [
    await before.access(user, session, soon()),
    await after.access(user, session, soon()),
  ];
  for (const token of [old, fresh]) assert.equal((await verify(token)).sessionId, session);
  assert.notEqual(decodeProtectedHeader(old).kid, decodeProtectedHeader(fresh).kid);
  assert.deepEqual(await after.readRefresh(before.refresh(session, 3)), {
    sessionId: session,
    generation: 3,
  });
  await assert.rejects(before.readRefresh(after.refresh(session, 3)), unauthenticated);
  // One file may hold several as well.
  assert.equal((await create(second + first)).publicKeys.length, 2);
});

test('a refresh token is the same whenever it is derived, and another one for each session and generation', async () => {
  const pem = newKey();
  const [tokens, elsewhere] = [await create(pem), await create(pem)];
  const [one, other] = [randomUUID(), randomUUID()];
  assert.equal(tokens.refresh(one, 1), elsewhere.refresh(one, 1));
  assert.equal(new Set([tokens.refresh(one, 1), tokens.refresh(one, 2), tokens.refresh(other, 1)]).size, 3);
  assert.deepEqual(await tokens.readRefresh(tokens.refresh(one, 12)), { sessionId: one, generation: 12 });
  const good = tokens.refresh(one, 1);
  const bad = [
    'forged',
    good.replace('.1.', '.2.'),
    good.replace(one, other),
    good.slice(0, -2),
    `${good}A`,
    good.toUpperCase(),
    await tokens.access({ id: '7', isGuest: false }, one, soon()),
  ];
  for (const token of bad) await assert.rejects(tokens.readRefresh(token), unauthenticated, token);
});

test('a signed refresh token from before there were derived ones is known by its hash', async () => {
  const [pem, older] = [newKey(), newKey()];
  const tokens = await create(pem, older);
  const signedBy = async (key: string) =>
    new SignJWT({ sid: 's', jti: randomUUID() })
      .setProtectedHeader({ alg: tokenAlgorithm, typ: 'refresh+jwt' })
      .setIssuer('gochat')
      .setSubject('7')
      .setExpirationTime('30d')
      .sign(await importPKCS8(key, tokenAlgorithm));
  for (const key of [pem, older]) {
    const token = await signedBy(key);
    const hash = createHash('sha256').update(token).digest();
    assert.deepEqual(await tokens.readRefresh(token), { sessionId: 's', hash });
  }
  await assert.rejects(tokens.readRefresh(await signedBy(newKey())), unauthenticated);
});
