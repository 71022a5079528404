import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { atEnd } from '../at-end.ts';

/** An identity provider that publishes its keys in a file. */
export async function openIdentityProvider() {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-provider-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwksFile = join(folder, 'keys.json');
  const issuersFile = join(folder, 'issuers.json');
  const issuer = { issuer: 'https://id.example', audience: 'chat', jwksFile };
  const claims = { usernameClaim: 'nick', displayNameClaim: 'name', avatarUrlClaim: 'picture' };
  writeFileSync(jwksFile, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] }));
  writeFileSync(issuersFile, JSON.stringify([{ ...issuer, ...claims }]));
  return {
    issuersFile,
    token: (sub: string, profile: Record<string, unknown> = {}) =>
      new SignJWT({ sub, ...profile })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer('https://id.example')
        .setAudience('chat')
        .setExpirationTime('5m')
        .sign(privateKey),
  };
}
