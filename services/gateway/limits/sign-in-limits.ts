import { countedAddress } from '../../../lib/client-address.ts';
import { codeOf } from '../../../lib/errors.ts';
import type { LogicClient } from '../../../lib/grpc/clients.ts';
import { createFailureLimit } from './failure-limit.ts';

export type SignInLimits = {
  /** Runs the check of a password. A failure counts for the client's address and for the account. */
  password<T>(account: AccountRef, address: string, check: () => Promise<T>): Promise<T>;
  /** Runs the check of a token. A failure counts for the client's address: the account of a wrong token is unknown. */
  token<T>(address: string, check: () => Promise<T>): Promise<T>;
};

type AccountRef = { username?: string; userId?: string };

const windowMs = 15 * 60_000;
/** An address may fail this many times as often as an account, because a whole office may share it. */
const addressFactor = 5;

/** A failed sign-in is UNAUTHENTICATED; a wrong password of a user who is signed in is PERMISSION_DENIED. */
const isFailure = (error: unknown): boolean =>
  ['UNAUTHENTICATED', 'PERMISSION_DENIED'].includes(codeOf(error));

/**
 * Failed sign-ins count for the client's address and for the account. Per account there is one count for all unknown
 * addresses, and one count for each address from which the account signed in recently, so that strangers cannot lock the
 * user out. Over the limit the right password is refused, too, before anything is hashed.
 */
export function createSignInLimits(deps: {
  auth: Pick<LogicClient['auth'], 'getSignInAccount'>;
  /** Failures allowed per account in 15 minutes. 0 switches off the limits of accounts and addresses. */
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
    // Otherwise an attacker with one valid password could reset the count and guess other passwords without end.
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

  async function accountKey(ref: AccountRef, address: string): Promise<string> {
    const { username = '', userId = '' } = ref;
    const account = await deps.auth.getSignInAccount({ username, userId, address });
    // Unknown usernames are counted in the same way, so that the limit does not reveal which usernames exist.
    const name = account.userId || `name ${username.toLowerCase()}`;
    return account.knownAddress ? `${name} ${address}` : name;
  }

  return {
    password(account, clientAddress, check) {
      if (deps.failures === 0) return check();
      const address = countedAddress(clientAddress);
      return addresses.attempt(address, async () =>
        accounts.attempt(await accountKey(account, address), check),
      );
    },
    token: (clientAddress, check) => addresses.attemptFreely(countedAddress(clientAddress), check),
  };
}
