import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { GoChatError } from '../../lib/errors.ts';
import { verifyAccessTokens } from '../../lib/tokens.ts';
import { createTokens } from './tokens.ts';

const newKey = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const create = (privateKeyPem = newKey(), accessTtlS = 900) =>
  createTokens({ privateKeyPem, accessTtlS, refreshTtlMs: 60_000 });

const unauthenticated = (error: unknown) => error instanceof GoChatError && error.code === 'UNAUTHENTICATED';

test('an access token says who, in which login session, and until when', async () => {
  const tokens = await create();
  const { verify } = await verifyAccessTokens(tokens.publicKeyPem);
  const token = await tokens.access({ id: '7', isGuest: true }, 'session');
  const { expiresAt, ...rest } = await verify(token);
  assert.deepEqual(rest, { userId: '7', sessionId: 'session', isGuest: true });
  assert.ok(Math.abs(expiresAt - Date.now() - 900_000) < 2000);
  assert.deepEqual(await verify(token), { ...rest, expiresAt });
});

test('a token signed by another key, changed, expired or of the other kind is refused', async () => {
  const tokens = await create();
  const { verify } = await verifyAccessTokens(tokens.publicKeyPem);
  const user = { id: '7', isGuest: false };
  const good = await tokens.access(user, 's');
  const [header, payload, signature] = good.split('.');
  const admin = Buffer.from(JSON.stringify({ sub: '1', sid: 's', exp: 9e9, iss: 'gochat' })).toString(
    'base64url',
  );
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'access+jwt' })).toString('base64url');
  const bad = [
    '',
    'x',
    'a.b.c',
    'x'.repeat(5000),
    `${header}.${admin}.${signature}`,
    `${none}.${payload}.`,
    (await tokens.refresh('7', 's')).token,
    await (await create()).access(user, 's'),
    await (await create(undefined, -1)).access(user, 's'),
  ];
  for (const token of bad) await assert.rejects(verify(token), unauthenticated, token.slice(0, 40));
});

test('a token that was valid is refused once it has expired', async (t) => {
  const tokens = await create();
  const { verify } = await verifyAccessTokens(tokens.publicKeyPem);
  const token = await tokens.access({ id: '7', isGuest: false }, 's');
  await verify(token);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 901_000 });
  await assert.rejects(verify(token), unauthenticated);
});

test('refresh tokens differ even within a second, and are known by their hash', async () => {
  const tokens = await create();
  const [first, second] = await Promise.all([tokens.refresh('7', 's'), tokens.refresh('7', 's')]);
  assert.notEqual(first.token, second.token);
  assert.deepEqual(first.hash, createHash('sha256').update(first.token).digest());
  assert.deepEqual(await tokens.readRefresh(first.token), { userId: '7', sessionId: 's', hash: first.hash });
  const access = await tokens.access({ id: '7', isGuest: false }, 's');
  await assert.rejects(tokens.readRefresh(access), unauthenticated);
  await assert.rejects(tokens.readRefresh('forged'), unauthenticated);
});
