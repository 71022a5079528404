import type { RawData } from 'ws';
import { GoChatError } from '../../../lib/errors.ts';
import type { ClientFrame, ClientFrameData } from '../../../lib/wire/frames.ts';
import type { ByteRate } from '../limits/byte-rate.ts';
import type { FrameRate, FrameVerdict } from '../limits/frame-rate.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { type ParsedFrame, parseFrame } from '../sending/client-frames.ts';
import type { ReadMarks } from '../sending/read-marks.ts';
import type { TypingNotices } from '../sending/typing.ts';
import type { UnackedSends } from '../sending/unacked-sends.ts';
import type { UpstreamProducer } from '../sending/upstream-producer.ts';
import { isOneTooMany } from '../sessions/offences.ts';
import type { Refuse } from '../sessions/refusal.ts';
import { forgetSent, noteSent } from '../sessions/sent-messages.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';

export type Inbound = {
  /** Counts what came over the connection, before any frame of it is taken. */
  count(session: Session, bytes: number): void;
  /** Takes what a socket received. */
  receive(session: Session, bytes: RawData, isBinary: boolean): void;
  /** Takes a ping of the WebSocket protocol itself: a life sign, and a frame like any other to the rate limits. */
  receivePing(session: Session, payload: Buffer): void;
};

const malformedLimit = 3;
const invalidLimit = 20;

/** What becomes of the frames that clients send. */
export function createInbound(deps: {
  sessions: Sessions;
  rate: FrameRate;
  userRate: FrameRate;
  byteRate: ByteRate;
  upstream: UpstreamProducer;
  unacked: UnackedSends<Session>;
  readMarks: ReadMarks;
  typing: TypingNotices;
  refuse: Refuse;
  metrics: GatewayMetrics;
}): Inbound {
  const { sessions, refuse, metrics } = deps;

  function count(session: Session, bytes: number): void {
    const verdict = deps.byteRate.take(session.byteAllowance, bytes);
    // A client that was told to go and sends on is not read any longer.
    if (verdict === 'cut' && session.state === 'closing') session.socket.terminate();
    if (session.state !== 'open' || verdict === 'pass' || verdict === 'refuse') return;
    // One frame can be all that came: it is told even if nothing was refused before.
    refuse(session, tooMuch);
    sessions.close(session, 'rateLimited');
  }

  /** Counts a frame for its session and its user. */
  function judge(session: Session): FrameVerdict {
    const verdict = deps.rate.judge(session.allowance);
    return verdict === 'pass' ? deps.userRate.judge(session.userAllowance) : verdict;
  }

  function countOffence(session: Session, kind: 'malformed' | 'invalid'): void {
    session[kind] ??= [];
    const limit = kind === 'malformed' ? malformedLimit : invalidLimit;
    if (isOneTooMany(session[kind], limit)) sessions.close(session, 'protocolError');
  }

  function receive(session: Session, bytes: RawData, isBinary: boolean): void {
    if (session.state !== 'open') return;
    session.lastSeenAt = Date.now();
    const verdict = judge(session);
    if (verdict === 'close') {
      sessions.close(session, 'rateLimited');
      return;
    }
    const parsed = isBinary ? binary : parseFrame(String(bytes));
    metrics.framesIn.inc({ type: parsed.kind === 'frame' ? parsed.frame.type : parsed.kind });
    if (deps.byteRate.isOver(session.byteAllowance)) refuse(session, tooMuch, clientMsgIdOf(parsed));
    else if (verdict === 'refuse') refuse(session, tooMany, clientMsgIdOf(parsed));
    else if (parsed.kind === 'frame') take(session, parsed.frame);
    else refuse(session, parsed.error, parsed.clientMsgId);
    if (parsed.kind === 'malformed' || parsed.kind === 'invalid') countOffence(session, parsed.kind);
  }

  function receivePing(session: Session, payload: Buffer): void {
    session.lastSeenAt = Date.now();
    if (session.state !== 'open') return;
    const verdict = judge(session);
    if (verdict === 'pass') session.socket.pong(payload);
    else if (verdict === 'close') sessions.close(session, 'rateLimited');
  }

  function take(session: Session, frame: ClientFrame): void {
    switch (frame.type) {
      case 'ping':
        sessions.send(session, 'pong');
        break;
      case 'send-message':
        sendMessage(session, frame.data);
        break;
      case 'mark-read':
        markRead(session, frame.data);
        break;
      case 'typing':
        deps.typing.notice(session, frame.data.conversationId);
    }
  }

  function sendMessage(session: Session, message: ClientFrameData['send-message']): void {
    const { conversationId, clientMsgId } = message;
    try {
      deps.unacked.begin(session, conversationId, clientMsgId);
    } catch (error) {
      refuse(session, error, clientMsgId);
      return;
    }
    noteSent(session, conversationId, clientMsgId);
    deps.upstream.append(session, message).catch((error: unknown) => {
      forgetSent(session, conversationId, clientMsgId);
      // Already told when it has timed out meanwhile.
      if (deps.unacked.drop(session.id, conversationId, clientMsgId)) refuse(session, error, clientMsgId);
    });
  }

  function markRead(session: Session, { conversationId, seqId }: ClientFrameData['mark-read']): void {
    try {
      deps.readMarks.mark(session, conversationId, seqId);
    } catch (error) {
      refuse(session, error);
    }
  }

  return { count, receive, receivePing };
}

const tooMuch = new GoChatError(
  'RATE_LIMITED',
  'Too many bytes. Wait for some seconds before you send this again.',
);
const tooMany = new GoChatError('RATE_LIMITED', 'Too many frames. Send this one again in a second.');

const binary: ParsedFrame = {
  kind: 'malformed',
  error: new GoChatError('INVALID_ARGUMENT', 'Frames are text, not binary.'),
};

function clientMsgIdOf(parsed: ParsedFrame): string | undefined {
  if (parsed.kind !== 'frame') return parsed.clientMsgId;
  return parsed.frame.type === 'send-message' ? parsed.frame.data.clientMsgId : undefined;
}
