import { errors, importSPKI, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { GoChatError } from './errors.ts';

/** Tokens are JWTs signed with Ed25519. The header's `typ` keeps one kind from being taken for the other. */
export const tokenAlgorithm = 'EdDSA';
export const tokenIssuer = 'gochat';
export const tokenTypes = { access: 'access+jwt', refresh: 'refresh+jwt' } as const;

/** What a valid access token says. */
export type AccessToken = {
  userId: string;
  sessionId: string;
  isGuest: boolean;
  /** Unix milliseconds. */
  expiresAt: number;
};

export type AccessTokenVerifier = {
  /** Rejects with UNAUTHENTICATED. Whether the login session was revoked is not in the token: ask that elsewhere. */
  verify(token: string): Promise<AccessToken>;
};

const cachedTokens = 20_000;
/** Longer ones are not ours and are not worth a signature check. */
const maxTokenLength = 2048;

/**
 * Checks access tokens against the public key (SPKI PEM). Remembers those that were valid, so that a busy client
 * costs one signature check a token.
 */
export async function verifyAccessTokens(publicKeyPem: string): Promise<AccessTokenVerifier> {
  const key = await importSPKI(publicKeyPem, tokenAlgorithm);
  const valid = new LRUCache<string, AccessToken>({ max: cachedTokens });

  return {
    async verify(token) {
      const known = valid.get(token);
      if (known && known.expiresAt > Date.now()) return known;
      if (known) valid.delete(token);
      if (token.length > maxTokenLength) throw invalid();
      const checked = await check(token, key);
      valid.set(token, checked);
      return checked;
    },
  };
}

type PublicKey = Awaited<ReturnType<typeof importSPKI>>;

async function check(token: string, key: PublicKey): Promise<AccessToken> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [tokenAlgorithm],
      issuer: tokenIssuer,
      typ: tokenTypes.access,
      requiredClaims: ['sub', 'exp', 'sid'],
    });
    const { sub, exp, sid, guest } = payload;
    if (typeof sub !== 'string' || typeof exp !== 'number' || typeof sid !== 'string') throw invalid();
    return { userId: sub, sessionId: sid, isGuest: guest === true, expiresAt: exp * 1000 };
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new GoChatError('UNAUTHENTICATED', 'The access token has expired.');
    }
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw invalid();
    throw error;
  }
}

const invalid = () => new GoChatError('UNAUTHENTICATED', 'The access token is not valid.');
