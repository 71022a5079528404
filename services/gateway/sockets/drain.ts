import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../../../lib/async/deadline.ts';
import type { Sessions } from '../sessions/sessions.ts';

/** How long clients may take to answer the close frame. */
const closeTimeoutMs = 2000;

/**
 * Closes every session with 4003, at random moments within `spreadMs`, so that the clients do not all reconnect to the
 * other gateways at once. Resolves when their sockets are closed; those still open 2 s after `spreadMs` are terminated.
 */
export async function drainSessions(sessions: Sessions, spreadMs: number): Promise<void> {
  const leaving = [...sessions.all()];
  const closed = leaving.map(async (session) => {
    const gone = new Promise<void>((resolve) => session.socket.once('close', () => resolve()));
    await sleep(Math.random() * spreadMs);
    sessions.close(session, 'draining');
    await gone;
  });
  await withDeadline(Promise.all(closed), spreadMs + closeTimeoutMs, () => undefined);
  for (const { socket } of leaving) socket.terminate();
}
