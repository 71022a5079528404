import { importPKCS8, SignJWT } from 'jose';
import {
  accessTokenType,
  type PublicKey,
  pemBlocks,
  publicKeys,
  tokenAlgorithm,
  tokenAudience,
  tokenIssuer,
} from '../../../lib/tokens.ts';
import { createRefreshTokens, type PresentedRefreshToken } from './refresh-tokens.ts';

export type Tokens = {
  /** The public halves of all keys whose tokens are accepted, not only of the key that signs. */
  publicKeys: readonly PublicKey[];
  /** Lifetime of an access token, in seconds. */
  accessTtlS: number;
  /** Signs an access token that expires at `expiresAt`, in Unix milliseconds. */
  access(user: { id: string; isGuest: boolean }, sessionId: string, expiresAt: number): Promise<string>;
  /** The expiry times of an access token and a session issued now, in Unix milliseconds. */
  lifetimes(): { accessExpiresAt: number; expiresAt: number };
  /** The refresh token of a session's generation. */
  refresh(sessionId: string, generation: number): string;
  /** Reads a refresh token. Rejects with UNAUTHENTICATED if it was not issued here. */
  readRefresh(token: string): Promise<PresentedRefreshToken>;
};

/**
 * Issues the tokens of login sessions with Ed25519 keys (PKCS8 PEM). The first key signs; all keys' tokens are
 * accepted.
 */
export async function createTokens(options: {
  privateKeyPems: readonly string[];
  accessTtlS: number;
  refreshTtlMs: number;
}): Promise<Tokens> {
  const { accessTtlS, refreshTtlMs } = options;
  const pems = options.privateKeyPems.flatMap(pemBlocks);
  const keys = await publicKeys(pems);
  const [pem] = pems;
  const [first] = keys;
  if (!pem || !first) throw new Error('configuration: AUTH_PRIVATE_KEY_FILE names no key');
  const privateKey = await importPKCS8(pem, tokenAlgorithm);
  const refreshTokens = createRefreshTokens(pems, keys);

  return {
    publicKeys: keys,
    accessTtlS,
    access: (user, sessionId, expiresAt) =>
      new SignJWT({ sid: sessionId, guest: user.isGuest })
        .setProtectedHeader({ alg: tokenAlgorithm, typ: accessTokenType, kid: first.kid })
        .setIssuer(tokenIssuer)
        .setAudience(tokenAudience)
        .setSubject(user.id)
        .setIssuedAt()
        .setExpirationTime(Math.floor(expiresAt / 1000))
        .sign(privateKey),
    lifetimes: () => ({
      accessExpiresAt: Date.now() + accessTtlS * 1000,
      expiresAt: Date.now() + refreshTtlMs,
    }),
    refresh: refreshTokens.derive,
    readRefresh: refreshTokens.read,
  };
}
