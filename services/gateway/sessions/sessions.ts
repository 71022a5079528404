// Room: the open sockets of this gateway, the writing of frames to them, and the codes with which they are closed. What
// the frames say is decided by other rooms.

import { type CloseCause, closeCodes } from '../../../lib/wire/close-codes.ts';
import type { BareFrameType, ServerFrameData, ServerFrameType } from '../../../lib/wire/frames.ts';
import { encodeForeignFrame } from './frame-buffer.ts';
import type { Outbox } from './outbox.ts';
import type { Session } from './session.ts';

export type IsExcluded = (session: Session) => boolean;

export type Sessions = {
  add(session: Session): void;
  get(sessionId: string): Session | undefined;
  size(): number;
  ofUser(userId: string): readonly Session[];
  all(): Iterable<Session>;
  /** Sends a frame to one session. */
  send<T extends ServerFrameType>(session: Session, type: T, data: ServerFrameData[T]): void;
  send(session: Session, type: BareFrameType<ServerFrameData>): void;
  /** Sends an encoded frame to a user's open sessions, except the excluded ones. Returns the number of sessions. */
  sendToUser(userId: string, frame: Buffer, isExcluded?: IsExcluded): number;
  /** True if a user has an open session here that is not excluded. */
  reaches(userId: string, isExcluded: IsExcluded): boolean;
  /** Sends an encoded frame to all open sessions, except the excluded ones. Returns the number of sessions. */
  broadcast(frame: Buffer, isExcluded?: IsExcluded): number;
  /** Closes a session with the close code of `cause`. Frames that are queued already are written first. */
  close(session: Session, cause: CloseCause): void;
  /** Closes the sockets of a login session. */
  closeLoginSession(loginSessionId: string): void;
  /** Removes a session whose socket has closed. */
  remove(session: Session): void;
};

/** How long a client may take to answer a close frame. A slow client must first read the frames before it. */
const closeTimeoutMs = 30_000;

/** The sockets of this gateway by session, by user and by login session. */
export function createSessions(deps: {
  outbox: Outbox;
  /** Called once per session, when its socket has closed or the gateway begins to close it. */
  onGone: (session: Session) => void;
}): Sessions {
  const { outbox } = deps;
  const byId = new Map<string, Session>();
  const byUser = new Map<string, Session[]>();
  const byLogin = new Map<string, Session[]>();

  function remove(session: Session): void {
    session.state = 'closing';
    if (!byId.delete(session.id)) return;
    removeFrom(byUser, session.userId, session);
    removeFrom(byLogin, session.loginSessionId, session);
    deps.onGone(session);
  }

  function close(session: Session, cause: CloseCause): void {
    if (session.state === 'closing') return;
    outbox.flush(session);
    remove(session);
    const { code, reason } = closeCodes[cause];
    // A paused socket would never read the client's answer to the close frame.
    session.socket.resume();
    session.closedWith = code;
    session.socket.close(code, reason);
    setTimeout(() => session.socket.terminate(), closeTimeoutMs).unref();
  }

  return {
    add(session) {
      byId.set(session.id, session);
      addTo(byUser, session.userId, session);
      addTo(byLogin, session.loginSessionId, session);
    },
    get: (sessionId) => byId.get(sessionId),
    size: () => byId.size,
    ofUser: (userId) => byUser.get(userId) ?? [],
    all: () => byId.values(),
    send: (session: Session, type: ServerFrameType, data?: unknown) =>
      outbox.send(session, encodeForeignFrame(type, data)),
    sendToUser(userId, frame, isExcluded) {
      const sessions = byUser.get(userId);
      if (!sessions) return 0;
      let sent = 0;
      for (const session of sessions) {
        if (session.state !== 'open' || isExcluded?.(session)) continue;
        outbox.send(session, frame);
        sent += 1;
      }
      return sent;
    },
    reaches: (userId, isExcluded) =>
      byUser.get(userId)?.some((session) => session.state === 'open' && !isExcluded(session)) === true,
    broadcast(frame, isExcluded) {
      let sent = 0;
      for (const session of byId.values()) {
        if (session.state !== 'open' || isExcluded?.(session)) continue;
        outbox.send(session, frame);
        sent += 1;
      }
      return sent;
    },
    close,
    closeLoginSession(loginSessionId) {
      for (const session of [...(byLogin.get(loginSessionId) ?? [])]) close(session, 'revoked');
    },
    remove,
  };
}

function addTo(index: Map<string, Session[]>, key: string, session: Session): void {
  const sessions = index.get(key);
  if (sessions) sessions.push(session);
  else index.set(key, [session]);
}

function removeFrom(index: Map<string, Session[]>, key: string, session: Session): void {
  const sessions = index.get(key);
  if (!sessions) return;
  if (sessions.length === 1) {
    if (sessions[0] === session) index.delete(key);
    return;
  }
  const at = sessions.indexOf(session);
  if (at >= 0) sessions.splice(at, 1);
}
