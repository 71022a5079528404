import { createHash, createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import { errors, importPKCS8, importSPKI, jwtVerify, SignJWT } from 'jose';
import { GoChatError } from '../../lib/errors.ts';
import { tokenAlgorithm, tokenIssuer, tokenTypes } from '../../lib/tokens.ts';

export type RefreshToken = {
  token: string;
  /** SHA-256 of the token: all that is stored of it. */
  hash: Buffer;
  /** Unix milliseconds. */
  expiresAt: number;
};

export type Tokens = {
  /** For gateways: SPKI PEM. */
  publicKeyPem: string;
  /** Seconds that an access token lives. */
  accessTtlS: number;
  access(user: { id: string; isGuest: boolean }, sessionId: string): Promise<string>;
  refresh(userId: string, sessionId: string): Promise<RefreshToken>;
  /** What a refresh token names. Rejects with UNAUTHENTICATED unless it is ours and unexpired. */
  readRefresh(token: string): Promise<{ userId: string; sessionId: string; hash: Buffer }>;
};

/** Signs the tokens of login sessions with an Ed25519 key (PKCS8 PEM). */
export async function createTokens(options: {
  privateKeyPem: string;
  accessTtlS: number;
  refreshTtlMs: number;
}): Promise<Tokens> {
  const privateKey = await importPKCS8(options.privateKeyPem, tokenAlgorithm);
  const publicKeyPem = createPublicKey(createPrivateKey(options.privateKeyPem))
    .export({ type: 'spki', format: 'pem' })
    .toString();
  const publicKey = await importSPKI(publicKeyPem, tokenAlgorithm);

  const sign = (type: string, subject: string, claims: Record<string, unknown>, expiresAt: number) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: tokenAlgorithm, typ: type })
      .setIssuer(tokenIssuer)
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime(Math.floor(expiresAt / 1000))
      .sign(privateKey);

  return {
    publicKeyPem,
    accessTtlS: options.accessTtlS,
    access: (user, sessionId) =>
      sign(
        tokenTypes.access,
        user.id,
        { sid: sessionId, guest: user.isGuest },
        Date.now() + options.accessTtlS * 1000,
      ),
    async refresh(userId, sessionId) {
      const expiresAt = Date.now() + options.refreshTtlMs;
      // The jti makes every token another one: two of the same second would have the same hash.
      const token = await sign(tokenTypes.refresh, userId, { sid: sessionId, jti: randomUUID() }, expiresAt);
      return { token, hash: hashOf(token), expiresAt };
    },
    async readRefresh(token) {
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          algorithms: [tokenAlgorithm],
          issuer: tokenIssuer,
          typ: tokenTypes.refresh,
          requiredClaims: ['sub', 'exp', 'sid', 'jti'],
        });
        const { sub, sid } = payload;
        if (typeof sub !== 'string' || typeof sid !== 'string') throw invalidRefreshToken();
        return { userId: sub, sessionId: sid, hash: hashOf(token) };
      } catch (error) {
        if (error instanceof errors.JOSEError || error instanceof TypeError) throw invalidRefreshToken();
        throw error;
      }
    },
  };
}

export const invalidRefreshToken = () =>
  new GoChatError('UNAUTHENTICATED', 'The refresh token is not valid any more. Sign in again.');

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
