import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../../../lib/async/deadline.ts';
import type { Sessions } from '../sessions/sessions.ts';

/** How long clients have to answer the close frame. */
const patienceMs = 2000;

/**
 * Sends every session away with 4003, spread over a while, so that they do not all reach the other gateways in one
 * moment. Resolves when their sockets are closed, or after a little patience.
 */
export async function drainSessions(sessions: Sessions, spreadMs: number): Promise<void> {
  const leaving = [...sessions.all()];
  const closed = leaving.map(async (session) => {
    const gone = new Promise<void>((resolve) => session.socket.once('close', () => resolve()));
    await sleep(Math.random() * spreadMs);
    sessions.close(session, 'draining');
    await gone;
  });
  await withDeadline(Promise.all(closed), spreadMs + patienceMs, () => undefined);
  for (const { socket } of leaving) socket.terminate();
}
