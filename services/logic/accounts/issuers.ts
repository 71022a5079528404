import { readFileSync } from 'node:fs';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { GoChatError } from '../../../lib/errors.ts';
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts';

/** Asymmetric algorithms only: with a shared secret, everybody who can check a token could also create one. */
const asymmetric = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const claim = Type.String({ minLength: 1, maxLength: 255 });

/** The configuration of an identity provider whose tokens may be exchanged for login sessions. */
const Issuer = Type.Object({
  issuer: claim,
  audience: claim,
  jwksUrl: Type.Optional(Type.String({ pattern: '^https?://' })),
  jwksFile: Type.Optional(Type.String({ minLength: 1 })),
  algorithms: Type.Optional(
    Type.Array(Type.String({ pattern: `^(${asymmetric.join('|')})$` }), { minItems: 1 }),
  ),
  userClaim: Type.Optional(claim),
  usernameClaim: Type.Optional(claim),
  displayNameClaim: Type.Optional(claim),
  avatarUrlClaim: Type.Optional(claim),
});
export type Issuer = Static<typeof Issuer>;

/** The identity in a valid token. Optional claims that are missing or no strings are left out. */
export type ExternalIdentity = {
  issuer: string;
  subject: string;
  username?: string;
  displayName?: string;
  avatarUrl?: string;
};

export type Issuers = {
  /**
   * Rejects with UNAUTHENTICATED if the token is invalid, or with UNAVAILABLE if the provider's keys cannot be
   * loaded.
   */
  verify(token: string): Promise<ExternalIdentity>;
};

const clockToleranceS = 60;
const maxSubjectBytes = 255;

/** Reads AUTH_ISSUERS_FILE; answers no issuers if the path is empty. Throws an error that says what is wrong. */
export function readIssuers(path: string): Issuer[] {
  if (path === '') return [];
  const refuse = (why: string, cause?: unknown) =>
    new Error(`configuration: AUTH_ISSUERS_FILE ${why}`, { cause });
  let list: unknown;
  try {
    list = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw refuse('is not a readable file of JSON', error);
  }
  if (!Value.Check(Type.Array(Issuer), list)) {
    const [first] = Value.Errors(Type.Array(Issuer), list);
    throw refuse(`is not a list of issuers: ${first?.instancePath || 'it'} ${first?.message ?? 'is wrong'}`);
  }
  for (const { issuer, jwksUrl, jwksFile } of list) {
    if ((jwksUrl === undefined) === (jwksFile === undefined)) {
      throw refuse(`must give either jwksUrl or jwksFile for ${issuer}`);
    }
    if (jwksUrl !== undefined && !isFetchable(jwksUrl)) {
      throw refuse(`gives a jwksUrl for ${issuer} that is no address, or has a password in it`);
    }
  }
  return list;
}

function isFetchable(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && url.username === '' && url.password === '';
}

/** Checks tokens of identity providers. A provider's keys are loaded when its first token is checked. */
export function createIssuers(
  issuers: readonly Issuer[],
  keysOf: (issuer: Issuer) => IssuerKeys = createIssuerKeys,
): Issuers {
  const known = issuers.map((issuer) => ({ issuer, keys: keysOf(issuer) }));

  return {
    async verify(token) {
      const { header, payload } = parsed(token);
      const own = known.filter(({ issuer }) => issuer.issuer === payload.iss);
      const audiences = [payload.aud ?? []].flat();
      const found = own.find(({ issuer }) => audiences.includes(issuer.audience));
      if (!found) throw invalid();
      const { issuer, keys } = found;
      const algorithms: readonly string[] = issuer.algorithms ?? asymmetric;
      // Checked first, so that a token with a refused algorithm causes no load of keys.
      if (!algorithms.includes(header.alg ?? '')) throw invalid();
      for (const key of await keys.matching(header)) {
        const claims = await checked(token, key, issuer, algorithms);
        if (claims) return identityOf(issuer, claims);
      }
      throw invalid();
    },
  };
}

function parsed(token: string) {
  try {
    return { header: decodeProtectedHeader(token), payload: decodeJwt(token) };
  } catch {
    throw invalid();
  }
}

/** The claims of the token; undefined if another key signed it. */
async function checked(
  token: string,
  key: Awaited<ReturnType<IssuerKeys['matching']>>[number],
  { issuer, audience }: Issuer,
  algorithms: readonly string[],
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: clockToleranceS,
      requiredClaims: ['exp'],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
    if (error instanceof errors.JWTExpired) {
      throw new GoChatError('UNAUTHENTICATED', 'The token has expired.');
    }
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw invalid();
    throw error;
  }
}

function identityOf(issuer: Issuer, claims: JWTPayload): ExternalIdentity {
  const value = claims[issuer.userClaim ?? 'sub'];
  // JSON.parse rounds an unsafe integer, so it could name another user.
  const subject = Number.isSafeInteger(value) ? String(value) : value;
  if (typeof subject !== 'string' || subject === '' || !subject.isWellFormed()) throw invalid();
  if (Buffer.byteLength(subject) > maxSubjectBytes) throw invalid();
  const textOf = (name: string | undefined): string | undefined => {
    const text = name === undefined ? undefined : claims[name];
    return typeof text === 'string' ? text : undefined;
  };
  const username = textOf(issuer.usernameClaim);
  const displayName = textOf(issuer.displayNameClaim);
  const avatarUrl = textOf(issuer.avatarUrlClaim);
  return {
    issuer: issuer.issuer,
    subject,
    ...(username === undefined ? {} : { username }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(avatarUrl === undefined ? {} : { avatarUrl }),
  };
}

const invalid = () => new GoChatError('UNAUTHENTICATED', 'The token is not valid.');
