import { createHash, createHmac, createPrivateKey, hkdfSync, timingSafeEqual } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { GoChatError } from '../../../lib/errors.ts';
import { type PublicKey, tokenAlgorithm, tokenIssuer } from '../../../lib/tokens.ts';

/** The content of a refresh token: a generation of a login session, or, for a token of the old format, its SHA-256. */
export type PresentedRefreshToken = { sessionId: string } & ({ generation: number } | { hash: Buffer });

export type RefreshTokens = {
  /** The token of a session's generation. It is deterministic: every process derives the same token every time. */
  derive(sessionId: string, generation: number): string;
  /** Rejects with UNAUTHENTICATED if the token was not issued here. Does not check whether it is still valid. */
  read(token: string): Promise<PresentedRefreshToken>;
};

const prefix = 'gcr1';
const form = /^gcr1\.([0-9a-f-]{36})\.(0|[1-9]\d{0,9})\.([\w-]{43})$/;

/**
 * A refresh token consists of the session's id, its generation and a MAC, whose secret is derived from a signing key.
 * So a token can be issued a second time without being stored, and a leak of the database does not allow to forge
 * tokens. The first key issues tokens; tokens of the other keys are accepted too.
 */
export function createRefreshTokens(
  privateKeyPems: readonly string[],
  keys: readonly PublicKey[],
): RefreshTokens {
  const secrets = privateKeyPems.map(secretOf);
  const [newest] = secrets;
  if (!newest) throw new Error('configuration: AUTH_PRIVATE_KEY_FILE names no key');

  return {
    derive: (sessionId, generation) =>
      `${prefix}.${sessionId}.${generation}.${macOf(newest, sessionId, generation).toString('base64url')}`,
    async read(token) {
      const [, sessionId, digits, mac = ''] = form.exec(token) ?? [];
      if (!sessionId) return readSigned(token, keys);
      const generation = Number(digits);
      const given = Buffer.from(mac, 'base64url');
      const isOurs = secrets.some((secret) => timingSafeEqual(macOf(secret, sessionId, generation), given));
      if (!isOurs) throw invalidRefreshToken();
      return { sessionId, generation };
    },
  };
}

function secretOf(privateKeyPem: string): Buffer {
  const key = createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'der' });
  return Buffer.from(hkdfSync('sha256', key, '', 'gochat refresh tokens', 32));
}

const macOf = (secret: Buffer, sessionId: string, generation: number): Buffer =>
  createHmac('sha256', secret).update(`${sessionId}.${generation}`).digest();

/** Reads a token of the old format, a JWT signed like an access token. */
async function readSigned(token: string, keys: readonly PublicKey[]): Promise<PresentedRefreshToken> {
  for (const { key } of keys) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [tokenAlgorithm],
        issuer: tokenIssuer,
        typ: 'refresh+jwt',
        requiredClaims: ['sub', 'exp', 'sid', 'jti'],
      });
      if (typeof payload.sid !== 'string') break;
      return { sessionId: payload.sid, hash: createHash('sha256').update(token).digest() };
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      if (error instanceof errors.JOSEError || error instanceof TypeError) break;
      throw error;
    }
  }
  throw invalidRefreshToken();
}

export const invalidRefreshToken = () =>
  new GoChatError('UNAUTHENTICATED', 'The refresh token is not valid any more. Sign in again.');
