import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import { accessTokenS } from '../../../lib/domain/session-lifetimes.ts';
import type { LogicClient } from '../../../lib/grpc/clients.ts';
import type { Logger } from '../../../lib/log.ts';

export type RevokedSessions = {
  has(sessionId: string): boolean;
  /** Whether logic has answered once with all sessions that were revoked before. Until then `has` proves nothing. */
  isComplete(): boolean;
  /** Marks login sessions as revoked at once, before the next poll reports them. */
  add(sessionIds: readonly string[]): void;
  /** Polls logic now. Resolves when the answer is applied, and also when the call failed: the next poll tries again. */
  refresh(): Promise<void>;
  stop(): void;
};

const pollMs = 1000;
/** The longest lifetime of an access token. It is assumed until the poll reports when a session's last token expires. */
const maxTokenLifetimeMs = accessTokenS.longest * 1000;
const pruneIntervalMs = 60_000;
const maxSessions = 500_000;

/**
 * The login sessions that were revoked, but have access tokens that are not expired yet: such tokens are refused. The
 * gateway polls logic for new ones every second. While logic is unreachable, the gateway uses the sessions it knows; a
 * gateway that has just started knows none, and takes no access token until logic has answered.
 */
export function createRevokedSessions(deps: {
  auth: Pick<LogicClient['auth'], 'listRevokedSessions'>;
  /** Called once for each newly revoked session, to close its sockets. */
  onRevoked: (sessionId: string) => void;
  log: Logger;
}): RevokedSessions {
  const { auth, log } = deps;
  /** Per session id, the time until which it is kept, in Unix ms: when its last access token has expired, or later. */
  const revoked = new Map<string, number>();
  /** The cursor of the next poll. Sessions revoked before the first `since` have no unexpired access token. */
  let position = { since: Date.now() - maxTokenLifetimeMs, afterSessionId: '' };
  let nextPruneAt = 0;
  let failing = false;
  let complete = false;

  function remember(sessionId: string, until: number): void {
    const known = revoked.has(sessionId);
    revoked.set(sessionId, until);
    if (!known) deps.onRevoked(sessionId);
  }

  function prune(): void {
    if (Date.now() < nextPruneAt && revoked.size <= maxSessions) return;
    nextPruneAt = Date.now() + pruneIntervalMs;
    for (const [sessionId, until] of revoked) if (until <= Date.now()) revoked.delete(sessionId);
    if (revoked.size <= maxSessions) return;
    log.error(
      { sessions: revoked.size },
      'there are too many revoked sessions: those that expire first are dropped',
    );
    const expiringFirst = [...revoked].sort(([, a], [, b]) => a - b).slice(0, revoked.size - maxSessions);
    for (const [sessionId] of expiringFirst) revoked.delete(sessionId);
  }

  async function poll(): Promise<void> {
    try {
      for (let more = true; more; ) {
        const page = await auth.listRevokedSessions(position, { deadlineMs: 3000 });
        for (const { id, accessExpiresAt } of page.sessions) remember(id, accessExpiresAt);
        position = { since: page.nextSince, afterSessionId: page.nextAfterSessionId };
        more = page.more;
      }
      if (failing) log.info('logic answers with revoked sessions again');
      failing = false;
      complete = true;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'cannot list revoked sessions');
      failing = true;
    }
    prune();
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
    isComplete: () => complete,
    add(sessionIds) {
      for (const id of sessionIds) if (!revoked.has(id)) remember(id, Date.now() + maxTokenLifetimeMs);
    },
    refresh,
    stop: () => clearInterval(timer),
  };
}
