import type { LogicClient } from '../../lib/grpc/clients.ts';
import type { Logger } from '../../lib/log.ts';

export type RevokedSessions = {
  has(sessionId: string): boolean;
  /** Login sessions known to be revoked from now on, ahead of the next poll. */
  add(sessionIds: readonly string[]): void;
  /** Asks now. Resolves when the answer is taken in; a failed call is left to the next poll. */
  refresh(): Promise<void>;
  stop(): void;
};

const pollMs = 1000;
/** Access tokens live for 15 minutes: after that their expiry refuses them. */
const memoryMs = 20 * 60_000;
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
  const revoked = new Map<string, number>();
  let since = Date.now() - memoryMs;
  let running: Promise<void> | undefined;
  let failing = false;

  function add(sessionIds: readonly string[]): void {
    for (const sessionId of sessionIds) {
      if (revoked.has(sessionId)) continue;
      revoked.set(sessionId, Date.now() + memoryMs);
      deps.onRevoked(sessionId);
    }
    for (const [sessionId, until] of revoked) {
      if (until > Date.now() && revoked.size <= maxRemembered) break;
      revoked.delete(sessionId);
    }
  }

  async function poll(): Promise<void> {
    try {
      const { sessionIds, nextSince } = await auth.listRevokedSessions({ since }, { deadlineMs: 3000 });
      add(sessionIds);
      since = nextSince;
      if (failing) log.info('revoked sessions are known again');
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'cannot ask for revoked sessions');
      failing = true;
    }
  }

  function start(): Promise<void> {
    running ??= poll().finally(() => {
      running = undefined;
    });
    return running;
  }

  async function refresh(): Promise<void> {
    // A poll that is under way may have asked before what the caller knows of came to be.
    if (running) await running;
    await start();
  }

  const timer = setInterval(start, pollMs);
  return { has: (sessionId) => revoked.has(sessionId), add, refresh, stop: () => clearInterval(timer) };
}
