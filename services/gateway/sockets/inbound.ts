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
import { recordOffence } from '../sessions/offences.ts';
import type { Refuse } from '../sessions/refusal.ts';
import { forgetSent, noteSent } from '../sessions/sent-messages.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';

export type Inbound = {
  /** Counts bytes received over the connection, before their frames are handled. */
  count(session: Session, bytes: number): void;
  /** Handles a WebSocket message. */
  receive(session: Session, bytes: RawData, isBinary: boolean): void;
  /** Handles a ping of the WebSocket protocol itself: a sign of life, which counts as a frame in the rate limits. */
  receivePing(session: Session, payload: Buffer): void;
};

/** A session is closed after this many offences of a kind within a minute. */
const malformedLimit = 3;
const invalidLimit = 20;

/** Handles the frames that clients send: applies the rate limits, parses frames and carries them out. */
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
    // A client that goes on sending after the close frame is cut off.
    if (verdict === 'cut' && session.state === 'closing') session.socket.terminate();
    if (session.state !== 'open' || verdict === 'pass' || verdict === 'refuse') return;
    // Send the error here, because nothing was refused before if all the bytes belong to one frame.
    refuse(session, tooManyBytes);
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
    if (recordOffence(session[kind], limit)) sessions.close(session, 'protocolError');
  }

  function receive(session: Session, bytes: RawData, isBinary: boolean): void {
    if (session.state !== 'open') return;
    session.lastSeenAt = Date.now();
    const verdict = judge(session);
    if (verdict === 'close') {
      sessions.close(session, 'rateLimited');
      return;
    }
    const parsed = isBinary ? binaryFrame : parseFrame(String(bytes));
    metrics.framesIn.inc({ type: parsed.kind === 'frame' ? parsed.frame.type : parsed.kind });
    if (deps.byteRate.isOver(session.byteAllowance)) refuse(session, tooManyBytes, clientMsgIdOf(parsed));
    else if (verdict === 'refuse') refuse(session, tooManyFrames, clientMsgIdOf(parsed));
    else if (parsed.kind === 'frame') handle(session, parsed.frame);
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

  function handle(session: Session, frame: ClientFrame): void {
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
      // If the send has timed out meanwhile, its sender has got an error already.
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

const tooManyBytes = new GoChatError(
  'RATE_LIMITED',
  'Too many bytes. Wait for a few seconds before you send this again.',
);
const tooManyFrames = new GoChatError('RATE_LIMITED', 'Too many frames. Send this one again in a second.');

const binaryFrame: ParsedFrame = {
  kind: 'malformed',
  error: new GoChatError('INVALID_ARGUMENT', 'Frames are text, not binary.'),
};

function clientMsgIdOf(parsed: ParsedFrame): string | undefined {
  if (parsed.kind !== 'frame') return parsed.clientMsgId;
  return parsed.frame.type === 'send-message' ? parsed.frame.data.clientMsgId : undefined;
}
