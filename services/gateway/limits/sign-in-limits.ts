import { countedAddress } from '../../../lib/client-address.ts';
import { codeOf } from '../../../lib/errors.ts';
import type { LogicClient } from '../../../lib/grpc/clients.ts';
import { createFailureLimit } from './failure-limit.ts';

export type SignInLimits = {
  /** Checks a password: counted for the address, and for the account whoever asks for it. */
  password<T>(who: Who, address: string, check: () => Promise<T>): Promise<T>;
  /** Checks a token, whose account is unknown until it is found right: counted for the address. */
  token<T>(address: string, check: () => Promise<T>): Promise<T>;
};

type Who = { username?: string; userId?: string };

const windowMs = 15 * 60_000;
/** An address may stand for a whole office. */
const addressFactor = 5;

/** UNAUTHENTICATED at a sign-in; PERMISSION_DENIED where whoever is signed in gives a wrong password. */
const isFailure = (error: unknown): boolean =>
  ['UNAUTHENTICATED', 'PERMISSION_DENIED'].includes(codeOf(error));

/**
 * Failed sign-ins count for their address and for their account, over all addresses but those from where it signed in
 * lately: these have counts of their own, so that strangers lock nobody out. Over a bound the right password is refused
 * too, before anything is hashed.
 */
export function createSignInLimits(deps: {
  auth: Pick<LogicClient['auth'], 'getSignInAccount'>;
  /** Failures of an account in 15 minutes; 0 = no limit, for addresses neither. */
  failures: number;
}): SignInLimits {
  const sentences = {
    sentence: 'Too many failed sign-ins. Try again later.',
    busySentence: 'Too many sign-ins at once. Try again in a moment.',
  };
  const addresses = createFailureLimit({
    limit: deps.failures * addressFactor,
    windowMs,
    isFailure,
    // One who knows one password could try those of others without end.
    successForgives: false,
    ...sentences,
  });
  const accounts = createFailureLimit({
    limit: deps.failures,
    windowMs,
    isFailure,
    successForgives: true,
    ...sentences,
  });

  async function accountKey(who: Who, address: string): Promise<string> {
    const { username = '', userId = '' } = who;
    const account = await deps.auth.getSignInAccount({ username, userId, address });
    // Guesses at names that nobody has are counted alike, so that the limit tells nothing.
    const name = account.userId || `name ${username.toLowerCase()}`;
    return account.knownAddress ? `${name} ${address}` : name;
  }

  return {
    password(who, from, check) {
      if (deps.failures === 0) return check();
      const address = countedAddress(from);
      return addresses.attempt(address, async () => accounts.attempt(await accountKey(who, address), check));
    },
    token: (from, check) => addresses.attemptFreely(countedAddress(from), check),
  };
}
