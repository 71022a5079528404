// Room: the sockets that are open here, and frames written to them, with the codes that they are closed with. What
// the frames tell is for the rooms above.

import { type CloseCause, closeCodes } from '../../../lib/wire/close-codes.ts';
import type { BareFrameType, ServerFrameData, ServerFrameType } from '../../../lib/wire/frames.ts';
import { encodeForeignFrame } from './frame-buffer.ts';
import type { Outbox } from './outbox.ts';
import type { Session } from './session.ts';

export type IsLeftOut = (session: Session) => boolean;

export type Sessions = {
  add(session: Session): void;
  get(sessionId: string): Session | undefined;
  size(): number;
  ofUser(userId: string): readonly Session[];
  all(): Iterable<Session>;
  /** Sends a frame to one session. */
  send<T extends ServerFrameType>(session: Session, type: T, data: ServerFrameData[T]): void;
  send(session: Session, type: BareFrameType<ServerFrameData>): void;
  /** Sends an encoded frame to a user's open sessions, but to none that `isLeftOut`. Answers to how many. */
  sendToUser(userId: string, frame: Buffer, isLeftOut?: IsLeftOut): number;
  /** Whether a user has an open session here that is not `isLeftOut`. */
  reaches(userId: string, isLeftOut: IsLeftOut): boolean;
  /** Sends an encoded frame to every open session, but to none that `isLeftOut`. Answers to how many. */
  broadcast(frame: Buffer, isLeftOut?: IsLeftOut): number;
  /** Closes a session for a cause of ours: what was sent to it before is written first, then nothing more. */
  close(session: Session, cause: CloseCause): void;
  /** Closes the sockets of a login session. */
  closeLoginSession(loginSessionId: string): void;
  /** Takes a session out whose socket has closed, for whatever reason. */
  remove(session: Session): void;
};

/** How long a client has to answer a close frame; a slow one has to wake up and read what is before it. */
const closeTimeoutMs = 30_000;

/** The sockets of this gateway by session, by user and by login session. */
export function createSessions(deps: {
  outbox: Outbox;
  /** A session is gone for good: its socket closed, or we began to close it. Called once a session. */
  onGone: (session: Session) => void;
}): Sessions {
  const { outbox } = deps;
  const byId = new Map<string, Session>();
  const byUser = new Map<string, Session[]>();
  const byLogin = new Map<string, Session[]>();

  function remove(session: Session): void {
    session.state = 'closing';
    if (!byId.delete(session.id)) return;
    takeOut(byUser, session.userId, session);
    takeOut(byLogin, session.loginSessionId, session);
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
      putIn(byUser, session.userId, session);
      putIn(byLogin, session.loginSessionId, session);
    },
    get: (sessionId) => byId.get(sessionId),
    size: () => byId.size,
    ofUser: (userId) => byUser.get(userId) ?? [],
    all: () => byId.values(),
    send: (session: Session, type: ServerFrameType, data?: unknown) =>
      outbox.send(session, encodeForeignFrame(type, data)),
    sendToUser(userId, frame, isLeftOut) {
      const sessions = byUser.get(userId);
      if (!sessions) return 0;
      let sent = 0;
      for (const session of sessions) {
        if (session.state !== 'open' || isLeftOut?.(session)) continue;
        outbox.send(session, frame);
        sent += 1;
      }
      return sent;
    },
    reaches: (userId, isLeftOut) =>
      byUser.get(userId)?.some((session) => session.state === 'open' && !isLeftOut(session)) === true,
    broadcast(frame, isLeftOut) {
      let sent = 0;
      for (const session of byId.values()) {
        if (session.state !== 'open' || isLeftOut?.(session)) continue;
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

function putIn(index: Map<string, Session[]>, key: string, session: Session): void {
  const sessions = index.get(key);
  if (sessions) sessions.push(session);
  else index.set(key, [session]);
}

function takeOut(index: Map<string, Session[]>, key: string, session: Session): void {
  const sessions = index.get(key);
  if (!sessions) return;
  if (sessions.length === 1) {
    if (sessions[0] === session) index.delete(key);
    return;
  }
  const at = sessions.indexOf(session);
  if (at >= 0) sessions.splice(at, 1);
}
