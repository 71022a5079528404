import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import { accessTokenS } from '../../../lib/domain/session-lifetimes.ts';
import type { LogicClient } from '../../../lib/grpc/clients.ts';
import type { Logger } from '../../../lib/log.ts';

export type RevokedSessions = {
  has(sessionId: string): boolean;
  /** Login sessions known to be revoked from now on, ahead of the next poll. */
  add(sessionIds: readonly string[]): void;
  /** Asks now. Resolves when the answer is taken in; a failed call is left to the next poll. */
  refresh(): Promise<void>;
  stop(): void;
};

const pollMs = 1000;
/** No access token lives longer; when the last one of a session expires is told by the poll. */
const longestMs = accessTokenS.longest * 1000;
const forgettingMs = 60_000;
const maxRemembered = 500_000;

/**
 * The login sessions whose access tokens are refused although unexpired. Gateways learn of them within a second;
 * while logic is away they judge by what they know.
 */
export function createRevokedSessions(deps: {
  auth: Pick<LogicClient['auth'], 'listRevokedSessions'>;
  /** Called once for each newly revoked session, to close its sockets. */
  onRevoked: (sessionId: string) => void;
  log: Logger;
}): RevokedSessions {
  const { auth, log } = deps;
  /** Until when each is remembered: when the last of its access tokens has expired, or later. */
  const revoked = new Map<string, number>();
  /** What was revoked before has no living access token. */
  let position = { since: Date.now() - longestMs, afterSessionId: '' };
  let nextForgetting = 0;
  let failing = false;

  function remember(sessionId: string, until: number): void {
    const known = revoked.has(sessionId);
    revoked.set(sessionId, until);
    if (!known) deps.onRevoked(sessionId);
  }

  function forget(): void {
    if (Date.now() < nextForgetting && revoked.size <= maxRemembered) return;
    nextForgetting = Date.now() + forgettingMs;
    for (const [sessionId, until] of revoked) if (until <= Date.now()) revoked.delete(sessionId);
    if (revoked.size <= maxRemembered) return;
    log.error({ sessions: revoked.size }, 'too many sessions were revoked to remember them all');
    const soonest = [...revoked].sort(([, a], [, b]) => a - b).slice(0, revoked.size - maxRemembered);
    for (const [sessionId] of soonest) revoked.delete(sessionId);
  }

  async function poll(): Promise<void> {
    try {
      for (let more = true; more; ) {
        const page = await auth.listRevokedSessions(position, { deadlineMs: 3000 });
        for (const { id, accessExpiresAt } of page.sessions) remember(id, accessExpiresAt);
        position = { since: page.nextSince, afterSessionId: page.nextAfterSessionId };
        more = page.more;
      }
      if (failing) log.info('revoked sessions are known again');
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'cannot ask for revoked sessions');
      failing = true;
    }
    forget();
  }

  const polling = createSingleFlight(poll);

  async function refresh(): Promise<void> {
    // A poll in flight may have been sent before the revocation that the caller knows of.
    const pollInFlight = polling.inFlight();
    if (pollInFlight) await pollInFlight;
    await polling.run();
  }

  const timer = setInterval(polling.run, pollMs);
  return {
    has: (sessionId) => revoked.has(sessionId),
    add(sessionIds) {
      for (const id of sessionIds) if (!revoked.has(id)) remember(id, Date.now() + longestMs);
    },
    refresh,
    stop: () => clearInterval(timer),
  };
}
