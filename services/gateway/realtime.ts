import { GoChatError } from '../../lib/errors.ts';
import type { LogicClient, RepoClient } from '../../lib/grpc/clients.ts';
import type { GroupCommit } from '../../lib/kafka/group-commit.ts';
import type { Logger } from '../../lib/log.ts';
import type { GatewayConfig } from './config.ts';
import { createDepartures } from './delivery/departures.ts';
import { createDownstream } from './delivery/downstream.ts';
import { createByteRate } from './limits/byte-rate.ts';
import { createFrameRate } from './limits/frame-rate.ts';
import { createUserFrameRate } from './limits/user-frame-rate.ts';
import type { GatewayMetrics } from './metrics/gateway-metrics.ts';
import { createPresence } from './presence/presence.ts';
import type { UserEvents } from './presence/user-events.ts';
import { createReadMarks } from './sending/read-marks.ts';
import type { SendPace } from './sending/send-pace.ts';
import { createTypingNotices } from './sending/typing.ts';
import { createUnackedSends } from './sending/unacked-sends.ts';
import { createUpstreamProducer } from './sending/upstream-producer.ts';
import { createOutbox } from './sessions/outbox.ts';
import { createRefuse } from './sessions/refusal.ts';
import type { Session } from './sessions/session.ts';
import { createSessions } from './sessions/sessions.ts';
import { createConnections } from './sockets/connections.ts';
import { createInbound } from './sockets/inbound.ts';

const notStoredInTime = new GoChatError(
  'UNAVAILABLE',
  'The message was not stored in time. Send it again with the same clientMsgId.',
);

/** Frame rate of a user over all sessions, as a multiple of the rate of one session. */
const userRateFactor = 4;

export type Realtime = ReturnType<typeof createRealtime>;

/** Assembles everything between the sockets and the rest of the system, for inbound and outbound frames. */
export function createRealtime(deps: {
  config: GatewayConfig;
  bootId: string;
  upstream: GroupCommit;
  pace: SendPace;
  events: UserEvents;
  conversations: LogicClient['conversations'];
  presence: RepoClient['presence'];
  isRevoked: (loginSessionId: string) => boolean;
  /** True if im-repo knows this gateway. */
  isKnown: () => Promise<boolean>;
  /** Called after each presence flush; `registered` is true if Redis stored it. */
  onFlushed: (registered: boolean) => void;
  metrics: GatewayMetrics;
  log: Logger;
}) {
  const { config, bootId, conversations, metrics, log } = deps;
  const gatewayId = config.GATEWAY_ID;

  const outbox = createOutbox({
    limitBytes: config.SEND_BUFFER_LIMIT_BYTES,
    onTooSlow: (session) => sessions.close(session, 'tooSlow'),
    onWritten: (frames) => metrics.framesOut.inc(frames),
  });
  const sessions = createSessions({
    outbox,
    onGone(session) {
      presence.disconnected(session);
      typing.forget(session);
    },
  });
  const refuse = createRefuse(sessions, metrics);
  const unacked = createUnackedSends<Session>({
    max: config.MAX_UNACKED_SENDS,
    timeoutMs: config.SEND_TIMEOUT_MS,
    onTimeout: (session, clientMsgId) => refuse(session, notStoredInTime, clientMsgId),
  });
  const presence = createPresence({
    presence: deps.presence,
    gatewayId,
    bootId,
    events: deps.events,
    isKnown: deps.isKnown,
    onFlushed: deps.onFlushed,
    metrics,
    log,
  });
  const typing = createTypingNotices({ conversations, onRefused: refuse });
  const readMarks = createReadMarks({ conversations, onRefused: refuse });
  const rate = createFrameRate(config.RATE_LIMIT_FRAMES_PER_SECOND);
  const userRate = createFrameRate(config.RATE_LIMIT_FRAMES_PER_SECOND * userRateFactor);
  const byteRate = createByteRate(config.RATE_LIMIT_BYTES_PER_SECOND);
  const upstream = createUpstreamProducer({ commit: deps.upstream, gatewayId, bootId });
  const inbound = createInbound({
    sessions,
    rate,
    userRate,
    byteRate,
    upstream,
    unacked,
    readMarks,
    typing,
    refuse,
    metrics,
  });
  const departures = createDepartures();
  const downstream = createDownstream({
    bootId,
    sessions,
    departures,
    unacked,
    pace: deps.pace,
    refuse,
    metrics,
    log,
  });
  const connections = createConnections({
    sessions,
    inbound,
    presence,
    isRevoked: deps.isRevoked,
    rate,
    userFrames: createUserFrameRate(userRate),
    byteRate,
    heartbeatMs: config.HEARTBEAT_INTERVAL_MS,
    metrics,
  });
  return { sessions, connections, departures, downstream, presence, readMarks, unacked };
}
