import { createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, errors, exportJWK, importSPKI, type JWK, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { GoChatError } from './errors.ts';

/** Access tokens are JWTs signed with Ed25519. The header's `typ` distinguishes them from other kinds of tokens. */
export const tokenAlgorithm = 'EdDSA';
export const tokenIssuer = 'gochat';
export const tokenAudience = 'gochat';
export const accessTokenType = 'access+jwt';

/** The claims of a valid access token. */
export type AccessToken = {
  userId: string;
  sessionId: string;
  isGuest: boolean;
  /** Unix milliseconds. */
  expiresAt: number;
};

export type AccessTokenVerifier = {
  /**
   * Rejects with UNAUTHENTICATED if the token is invalid or expired. Does not check whether its session was revoked.
   */
  verify(token: string): Promise<AccessToken>;
};

export type PublicKey = { kid: string; key: Awaited<ReturnType<typeof importSPKI>>; jwk: JWK };

const maxCachedTokens = 20_000;
/** Our tokens are shorter, so a longer one is refused without a signature check. */
const maxTokenLength = 2048;

/** The distinct public keys of PEM texts, each of which holds one or more Ed25519 keys, public or private. */
export async function publicKeys(pemTexts: readonly string[]): Promise<PublicKey[]> {
  const found = new Map<string, PublicKey>();
  for (const pem of pemTexts.flatMap(pemBlocks)) {
    const spki = createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
    const key = await importSPKI(spki, tokenAlgorithm, { extractable: true });
    const bare = await exportJWK(key);
    const kid = await calculateJwkThumbprint(bare);
    found.set(kid, { kid, key, jwk: { ...bare, kid, alg: tokenAlgorithm, use: 'sig' } });
  }
  return [...found.values()];
}

/** The PEM blocks of a text, one per key. Throws if there is none. */
export function pemBlocks(text: string): string[] {
  const blocks = text.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g) ?? [];
  if (blocks.length === 0) throw new Error('configuration: a key file holds no key in PEM form');
  return blocks;
}

/**
 * Checks access tokens against the public keys. Caches valid tokens until they expire, so that each token costs one
 * signature check.
 */
export function verifyAccessTokens(keys: readonly PublicKey[]): AccessTokenVerifier {
  const byKid = new Map(keys.map(({ kid, key }) => [kid, key]));
  const valid = new LRUCache<string, AccessToken>({ max: maxCachedTokens });

  return {
    async verify(token) {
      const known = valid.get(token);
      if (known && known.expiresAt > Date.now()) return known;
      if (known) valid.delete(token);
      if (token.length > maxTokenLength) throw invalid();
      const checked = await check(token, byKid);
      valid.set(token, checked);
      return checked;
    },
  };
}

async function check(token: string, keys: ReadonlyMap<string, PublicKey['key']>): Promise<AccessToken> {
  try {
    const keyOf = ({ kid = '' }: { kid?: string }) => {
      const key = keys.get(kid);
      if (!key) throw invalid();
      return key;
    };
    const { payload } = await jwtVerify(token, keyOf, {
      algorithms: [tokenAlgorithm],
      issuer: tokenIssuer,
      audience: tokenAudience,
      typ: accessTokenType,
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
