import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { codeOf, GoChatError } from '../../../lib/errors.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { verifyAccessTokens } from '../../../lib/tokens.ts';
import { createAuth } from './auth.ts';
import { createTokens } from './tokens.ts';

/** Logic with an im-repo that opens no session for the first few accounts, as if they had been erased meanwhile. */
async function authWhere(erased: number) {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const tokens = await createTokens({ privateKeyPems: [pem], accessTtlS: 900, refreshTtlMs: 60_000 });
  let made = 0;
  const users = {
    async signInExternal() {
      made += 1;
      const name = `user-${made}`;
      const user = {
        id: String(made),
        username: name,
        displayName: name,
        avatarUrl: '',
        isGuest: false,
        createdAt: 1,
      };
      return { user, credential: Buffer.alloc(32) };
    },
    async createSession() {
      if (made <= erased) throw new GoChatError('USER_NOT_FOUND', 'Gone.');
      return {};
    },
  };
  return createAuth({
    users: users as unknown as RepoClient['users'],
    tokens,
    verifier: verifyAccessTokens(tokens.publicKeys),
    issuers: { verify: async () => ({ issuer: 'https://id.example', subject: 'p-1' }) },
  });
}

const exchange = { token: 't', client: { userAgent: '', address: '192.0.2.1' } };

test('a user whose account is erased while a token is exchanged gets a new one', async () => {
  const auth = await authWhere(1);
  assert.equal((await auth.exchangeToken(exchange)).session?.user?.id, '2');
});

test('a user whose accounts are erased again and again has to sign in again', async () => {
  const auth = await authWhere(9);
  await assert.rejects(
    async () => auth.exchangeToken(exchange),
    (error) => codeOf(error) === 'UNAUTHENTICATED',
  );
});
