import type { Session } from '../wire/wire.ts';
import type { Call } from './api.ts';
import { asGoChatError, GoChatError, sessionEnded } from './errors.ts';

/** Why a provider is asked: the client has no session yet, or the server refused the one it had. */
export interface SignInReason {
  reason: 'sign-in' | 'refused';
}

/** How the user signs in. A provider is asked again when its session ends; it is never asked twice at the same time. */
export type Credentials =
  | { username: string; password: string }
  | { guest: true }
  | { session: Session | ((why: SignInReason) => Promise<Session>) }
  | { exchange: (why: SignInReason) => Promise<string> };

export interface HeldSession {
  session: Session;
  /** When the access token expires, by the clock of this device; Unix milliseconds. */
  expiresAt: number;
}

export interface Tokens {
  /** A token that the server should accept. Signs in or refreshes if need be, once for all who ask at the same time. */
  get(): Promise<string>;
  /** The server refused this token. */
  refuse(token: string): void;
  /** The server accepted a token. */
  accepted(): void;
  held(): HeldSession | undefined;
  /** Takes over a session that was stored, or that another tab refreshed. */
  hold(held: HeldSession | undefined): void;
}

/** More renewals than this without one accepted token between them would be a loop. */
const maxRenewals = 3;
const maxSignIns = 2;
/** A token is renewed before it expires: this share of its life, at most so long. */
const earlyShare = 0.2;
const earliestMs = 30_000;

/** The error that ends the client's session: only a new `connect()` begins another. */
export class SessionEnded extends GoChatError {}

export function createTokens(options: {
  credentials: Credentials;
  call: Call;
  onChange(held: HeldSession | undefined): void;
}): Tokens {
  const { credentials, call, onChange } = options;
  let held: HeldSession | undefined;
  let refused: string | undefined;
  let renewing: Promise<string> | undefined;
  let renewals = 0;
  let signIns = 0;

  function hold(next: HeldSession | undefined): void {
    held = next;
    onChange(held);
  }

  function keep(session: Session): string {
    renewals += 1;
    const early = Math.min(earliestMs, session.expiresIn * 1000 * earlyShare);
    hold({ session, expiresAt: Date.now() + session.expiresIn * 1000 - early });
    return session.accessToken;
  }

  async function renew(): Promise<string> {
    if (renewals >= maxRenewals) throw ended();
    const before = held;
    if (before) {
      try {
        const { refreshToken } = before.session;
        return keep(await call('POST /auth/refresh', { body: { refreshToken } }));
      } catch (error) {
        if (asGoChatError(error).retryable) throw error;
        hold(undefined);
      }
    }
    return keep(await signIn(before ? 'refused' : 'sign-in'));
  }

  async function signIn(reason: SignInReason['reason']): Promise<Session> {
    if (signIns >= maxSignIns || (reason === 'refused' && !canSignInAgain(credentials))) {
      throw ended();
    }
    try {
      const session = await begin({ reason });
      signIns += 1;
      return session;
    } catch (error) {
      const known = asGoChatError(error);
      throw known.retryable ? known : new SessionEnded(known.code, known.message);
    }
  }

  async function begin(why: SignInReason): Promise<Session> {
    if ('username' in credentials) {
      const { username, password } = credentials;
      return call('POST /auth/login', { body: { username, password } });
    }
    if ('guest' in credentials) return call('POST /auth/guest', { body: {} });
    if ('exchange' in credentials) {
      return call('POST /auth/exchange', { body: { token: await credentials.exchange(why) } });
    }
    return typeof credentials.session === 'function' ? credentials.session(why) : credentials.session;
  }

  return {
    get() {
      if (held && held.session.accessToken !== refused && Date.now() < held.expiresAt) {
        return Promise.resolve(held.session.accessToken);
      }
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      return renewing;
    },
    refuse(token) {
      refused = token;
    },
    accepted() {
      renewals = 0;
      signIns = 0;
    },
    held: () => held,
    hold(next) {
      held = next;
    },
  };
}

const ended = () => new SessionEnded('UNAUTHENTICATED', sessionEnded);

/** A guest who signs in again would be somebody else, and a session that was given can't be given again. */
const canSignInAgain = (credentials: Credentials): boolean =>
  !('guest' in credentials) && givenSession(credentials) === undefined;

/** True if a stored session is of another user than the one that these credentials mean, as far as they say. */
export function belongsToOther(credentials: Credentials, { user }: Session): boolean {
  if ('username' in credentials) return user.username.toLowerCase() !== credentials.username.toLowerCase();
  const given = givenSession(credentials);
  return given !== undefined && given.user.id !== user.id;
}

/** True if these credentials are a newer session of the same user than the stored one. */
export function replaces(credentials: Credentials, { sessionId }: Session): boolean {
  const given = givenSession(credentials);
  return given !== undefined && given.sessionId !== sessionId;
}

export const givenSession = (credentials: Credentials): Session | undefined =>
  'session' in credentials && typeof credentials.session !== 'function' ? credentials.session : undefined;
