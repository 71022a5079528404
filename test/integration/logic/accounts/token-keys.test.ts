import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { createRest, type Session } from '../../../../clients/sdk/rest.ts';
import { readSecretFiles } from '../../../../lib/config.ts';
import { createTokens } from '../../../../services/logic/accounts/tokens.ts';
import { startRealGateway } from '../../../support/gateway/real-gateway.ts';
import { openLogicSystem, writeKey } from '../../../support/logic/logic-system.ts';

// The signing key is being changed: the new one signs, and what the old one signed is accepted.
const [newKey, oldKey] = [writeKey(), writeKey()];
const system = await openLogicSystem({
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  AUTH_PRIVATE_KEY_FILE: `${newKey},${oldKey}`,
});
const here = await startRealGateway(system.behindGateway);

const jwksAddress = new URL('/.well-known/jwks.json', here.url);
/** Verifies an access token as another system does, which knows only the address of the keys. */
const verified = (token: string) =>
  jwtVerify(token, createRemoteJWKSet(jwksAddress), { issuer: 'gochat', audience: 'gochat' });

async function newGuest(): Promise<Session> {
  const answer = await fetch(new URL('/auth/guest', here.url), { method: 'POST' });
  assert.equal(answer.status, 201);
  return (await answer.json()) as Session;
}

const profileOf = (token: string) => createRest(here.url, token).get('/users/profile');

test('the published keys verify an access token, and show both keys while the signing key is changed', async () => {
  const answer = await fetch(jwksAddress);
  assert.deepEqual([answer.status, answer.headers.get('cache-control')], [200, 'public, max-age=300']);
  const { keys } = (await answer.json()) as { keys: Record<string, string>[] };
  assert.deepEqual(
    keys.map(({ kty, crv, alg, use, d }) => [kty, crv, alg, use, d]),
    Array(2).fill(['OKP', 'Ed25519', 'EdDSA', 'sig', undefined]),
  );
  assert.equal(new Set(keys.map(({ kid }) => kid)).size, 2);

  const { user, accessToken, sessionId } = await newGuest();
  assert.equal(decodeProtectedHeader(accessToken).kid, keys[0]?.kid);
  const { payload } = await verified(accessToken);
  assert.deepEqual([payload.sub, payload.sid], [user.id, sessionId]);
  const [head, body, signature = ''] = accessToken.split('.');
  await assert.rejects(verified(`${head}.${body}.${signature.slice(0, -4)}AAAA`));
});

test('a token that the old key signed is accepted, and verified by the published keys', async () => {
  const { user, sessionId } = await newGuest();
  const before = await createTokens({
    privateKeyPems: readSecretFiles(oldKey),
    accessTtlS: 900,
    refreshTtlMs: 1_000_000,
  });
  const old = await before.access(user, sessionId, Date.now() + 900_000);
  const { protectedHeader, payload } = await verified(old);
  assert.deepEqual([protectedHeader.kid, payload.sub], [before.publicKeys[0]?.kid, user.id]);
  assert.deepEqual(await profileOf(old), user);
  const foreign = await createTokens({
    privateKeyPems: readSecretFiles(writeKey()),
    accessTtlS: 900,
    refreshTtlMs: 1_000_000,
  });
  const forged = await foreign.access(user, randomUUID(), Date.now() + 900_000);
  await assert.rejects(verified(forged));
  await assert.rejects(profileOf(forged), { status: 401 });
});
