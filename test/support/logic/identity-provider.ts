import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { atEnd } from '../at-end.ts';

/** An identity provider that publishes its keys in a file, or leaves it to the test to serve them at `jwksUrl`. */
export async function openIdentityProvider({ jwksUrl }: { jwksUrl?: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-provider-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwksFile = join(folder, 'keys.json');
  const issuersFile = join(folder, 'issuers.json');
  const keysAt = jwksUrl === undefined ? { jwksFile } : { jwksUrl };
  const issuer = { issuer: 'https://id.example', audience: 'chat', ...keysAt };
  const claims = { usernameClaim: 'nick', displayNameClaim: 'name', avatarUrlClaim: 'picture' };
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] });
  writeFileSync(jwksFile, jwks);
  writeFileSync(issuersFile, JSON.stringify([{ ...issuer, ...claims }]));
  return {
    issuersFile,
    jwks,
    token: (sub: string, profile: Record<string, unknown> = {}, { audience = 'chat', expires = '5m' } = {}) =>
      new SignJWT({ sub, ...profile })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer('https://id.example')
        .setAudience(audience)
        .setExpirationTime(expires)
        .sign(privateKey),
  };
}
