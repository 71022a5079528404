import type { RawData } from 'ws';
import { GoChatError } from '../../../lib/errors.ts';
import type { FrameRate } from '../frame-rate.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { ReadMarks } from '../read-marks.ts';
import type { TypingNotices } from '../typing.ts';
import type { UnackedSends } from '../unacked-sends.ts';
import type { UpstreamProducer } from '../upstream-producer.ts';
import {
  type ClientFrame,
  type MarkRead,
  type ParsedFrame,
  parseFrame,
  type SendMessage,
} from './client-frames.ts';
import type { Refuse } from './refusal.ts';
import { forgetSent, noteSent } from './sent-messages.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

export type Inbound = {
  /** Takes what a socket received. */
  receive(session: Session, bytes: RawData, isBinary: boolean): void;
};

const malformedWindowMs = 60_000;
const malformedLimit = 3;

/** What becomes of the frames that clients send. */
export function createInbound(deps: {
  sessions: Sessions;
  rate: FrameRate;
  upstream: UpstreamProducer;
  unacked: UnackedSends<Session>;
  readMarks: ReadMarks;
  typing: TypingNotices;
  refuse: Refuse;
  metrics: GatewayMetrics;
}): Inbound {
  const { sessions, refuse, metrics } = deps;

  function countMalformed(session: Session): void {
    const now = performance.now();
    session.malformedAt = session.malformedAt.filter((at) => now - at < malformedWindowMs);
    session.malformedAt.push(now);
    if (session.malformedAt.length >= malformedLimit) sessions.close(session, 'protocolError');
  }

  function receive(session: Session, bytes: RawData, isBinary: boolean): void {
    if (session.state !== 'open') return;
    session.lastSeenAt = Date.now();
    const verdict = deps.rate.judge(session.allowance);
    if (verdict === 'close') {
      sessions.close(session, 'rateLimited');
      return;
    }
    const parsed = isBinary ? binary : parseFrame(String(bytes));
    metrics.framesIn.inc({ type: parsed.kind === 'frame' ? parsed.frame.type : parsed.kind });
    if (verdict === 'refuse') refuse(session, tooMany, clientMsgIdOf(parsed));
    else if (parsed.kind === 'frame') take(session, parsed.frame);
    else refuse(session, parsed.error, parsed.clientMsgId);
    if (parsed.kind === 'malformed') countMalformed(session);
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

  function sendMessage(session: Session, message: SendMessage): void {
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

  function markRead(session: Session, { conversationId, seqId }: MarkRead): void {
    try {
      deps.readMarks.mark(session, conversationId, seqId);
    } catch (error) {
      refuse(session, error);
    }
  }

  return { receive };
}

const tooMany = new GoChatError('RATE_LIMITED', 'Too many frames. Send this one again in a second.');

const binary: ParsedFrame = {
  kind: 'malformed',
  error: new GoChatError('INVALID_ARGUMENT', 'Frames are text, not binary.'),
};

function clientMsgIdOf(parsed: ParsedFrame): string | undefined {
  if (parsed.kind !== 'frame') return parsed.clientMsgId;
  return parsed.frame.type === 'send-message' ? parsed.frame.data.clientMsgId : undefined;
}
