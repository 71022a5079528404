import { countedAddress } from '../../../lib/client-address.ts';
import { GoChatError } from '../../../lib/errors.ts';
import { RateLimitedError } from '../limits/rate-limit.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';

/** A reserved place for one connection, from its handshake until it closes. */
export type Place = {
  /**
   * Admits a user's socket. If the user has the maximum number of sockets, closes the one that has been silent longest,
   * or throws RATE_LIMITED if none of them seems dead.
   */
  admit(userId: string): void;
  release(): void;
};

export type Admission = {
  /** Throws UNAVAILABLE if the gateway is full, RATE_LIMITED if the address has the maximum number of sockets. */
  reserve(address: string): Place;
};

/** A live client pings every 30 s: the connection of a client that is silent for longer is most likely dead. */
const seemsDeadMs = 35_000;
const retryMs = 10_000;

/** Limits the number of sockets: in all, per address and per user. A handshake counts like the socket it becomes. */
export function createAdmission(
  sessions: Pick<Sessions, 'ofUser' | 'close'>,
  limits: { all: number; perAddress: number; perUser: number },
  now: () => number = Date.now,
): Admission {
  const byAddress = new Map<string, number>();
  let all = 0;

  function makeRoom(userId: string): void {
    const open = sessions.ofUser(userId);
    if (limits.perUser === 0 || open.length < limits.perUser) return;
    const longestSilent = open.reduce((a: Session, b: Session) => (a.lastSeenAt <= b.lastSeenAt ? a : b));
    if (now() - longestSilent.lastSeenAt <= seemsDeadMs) {
      throw new RateLimitedError('This user has too many sockets open. Close one first.', retryMs);
    }
    sessions.close(longestSilent, 'replaced');
  }

  return {
    reserve(address) {
      if (all >= limits.all) throw full();
      const key = countedAddress(address);
      const count = byAddress.get(key) ?? 0;
      if (limits.perAddress > 0 && count >= limits.perAddress) {
        throw new RateLimitedError('This address has too many sockets open. Close one first.', retryMs);
      }
      all += 1;
      byAddress.set(key, count + 1);
      let released = false;
      return {
        admit: makeRoom,
        release() {
          if (released) return;
          released = true;
          all -= 1;
          const left = (byAddress.get(key) ?? 1) - 1;
          if (left > 0) byAddress.set(key, left);
          else byAddress.delete(key);
        },
      };
    },
  };
}

export const full = (): GoChatError =>
  new GoChatError('UNAVAILABLE', 'This gateway takes no more connections. Try another one.');
