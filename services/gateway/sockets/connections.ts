// Room: the lifecycle of a WebSocket: admission, welcome, inbound frames, heartbeat, drain. The rooms below carry out
// what a frame asks for.

import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { withDeadline } from '../../../lib/async/deadline.ts';
import type { AccessToken } from '../../../lib/tokens.ts';
import type { ByteRate } from '../limits/byte-rate.ts';
import type { FrameRate } from '../limits/frame-rate.ts';
import type { UserFrameRate } from '../limits/user-frame-rate.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import type { Presence } from '../presence/presence.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Inbound } from './inbound.ts';

/** How long a socket may wait for its registration before it is closed with `tryLater`. */
const registrationMs = 10_000;

/**
 * The lifecycle of a socket: registered, welcomed, then open until it closes. Nothing is read from it or sent to it before
 * `welcome`. A client that syncs after `welcome` misses nothing, because events are routed to its session before that.
 */
export function createConnections(deps: {
  sessions: Sessions;
  inbound: Inbound;
  presence: Presence;
  isRevoked: (loginSessionId: string) => boolean;
  rate: FrameRate;
  userFrames: UserFrameRate;
  byteRate: ByteRate;
  heartbeatMs: number;
  metrics: GatewayMetrics;
}): { open(socket: WebSocket, stream: Socket, access: AccessToken, sessionId: string): void } {
  const { sessions, inbound, metrics } = deps;

  async function register(session: Session): Promise<void> {
    const end = metrics.registration.startTimer();
    const stored = deps.presence.connected(session).then(() => true);
    const registered = await withDeadline(stored, registrationMs, () => false);
    if (session.state !== 'connecting') return;
    if (!registered) return sessions.close(session, 'tryLater');
    if (deps.isRevoked(session.loginSessionId)) return sessions.close(session, 'revoked');
    end();
    session.state = 'open';
    sessions.send(session, 'welcome', {
      sessionId: session.id,
      userId: session.userId,
      heartbeatMs: deps.heartbeatMs,
    });
    session.socket.resume();
  }

  return {
    open(socket, stream, access, sessionId) {
      const now = Date.now();
      const session: Session = {
        id: sessionId,
        userId: access.userId,
        loginSessionId: access.sessionId,
        socket,
        stream,
        connectedAt: now,
        state: 'connecting',
        lastSeenAt: now,
        lastReportedAt: now,
        allowance: deps.rate.allowance(),
        userAllowance: deps.userFrames.join(access.userId),
        byteAllowance: deps.byteRate.allowance(),
        outbox: [],
      };
      const seen = () => {
        session.lastSeenAt = Date.now();
      };
      stream.setNoDelay(true);
      socket.pause();
      // Count bytes before ws parses them, including bytes that never become a whole frame.
      stream.prependListener('data', (chunk: Buffer) => inbound.count(session, chunk.length));
      socket.on('message', (bytes, isBinary) => inbound.receive(session, bytes, isBinary));
      socket.on('ping', (payload) => inbound.receivePing(session, payload));
      socket.on('pong', seen);
      // ws itself closes the socket with the right code (such as 1009 for a frame too large); 'close' follows.
      socket.on('error', () => undefined);
      socket.on('close', (code) => {
        // If the client never answers our close frame, `code` is 1006, which is not the cause of the close.
        metrics.closes.inc({ code: String(session.closedWith ?? code) });
        sessions.remove(session);
        deps.userFrames.leave(session.userId);
      });
      sessions.add(session);
      void register(session);
    },
  };
}
