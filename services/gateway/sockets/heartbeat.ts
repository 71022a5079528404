import type { Presence } from '../presence/presence.ts';
import type { Sessions } from '../sessions/sessions.ts';

/** A live session is reported to im-repo at this interval, well within the 75 s that im-repo allows between reports. */
const reportMs = 25_000;

/** Closes silent sessions and reports live ones, with one timer for all. Returns a function that stops the timer. */
export function watchHeartbeats(deps: {
  sessions: Sessions;
  presence: Presence;
  timeoutMs: number;
}): () => void {
  const { sessions, presence, timeoutMs } = deps;
  const sweep = () => {
    const now = Date.now();
    for (const session of [...sessions.all()]) {
      if (session.state !== 'open') continue;
      if (now - session.lastSeenAt > timeoutMs) sessions.close(session, 'silent');
      else if (session.lastSeenAt > session.lastReportedAt && now - session.lastReportedAt >= reportMs) {
        session.lastReportedAt = now;
        presence.heartbeat(session);
      }
    }
  };
  const timer = setInterval(sweep, Math.max(50, Math.min(1000, timeoutMs / 4)));
  return () => clearInterval(timer);
}
