import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { serveAdmin } from '../../lib/admin.ts';
import { readSecretFile } from '../../lib/config.ts';
import { GoChatError } from '../../lib/errors.ts';
import { PusherServiceService } from '../../lib/gen/im_gateway/v1/pusher.ts';
import { connectLogic, connectRepo } from '../../lib/grpc/clients.ts';
import { serveGrpc, service } from '../../lib/grpc/server.ts';
import { createGroupCommit } from '../../lib/kafka/group-commit.ts';
import { connectKafka, withAdmin } from '../../lib/kafka/kafka.ts';
import { followTail } from '../../lib/kafka/tail.ts';
import { ensureDownstreamTopic, topics } from '../../lib/kafka/topics.ts';
import type { Logger } from '../../lib/log.ts';
import { createMetrics } from '../../lib/metrics.ts';
import type { Running } from '../../lib/service.ts';
import { verifyAccessTokens } from '../../lib/tokens.ts';
import { createAccess } from './access.ts';
import { buildApp } from './app.ts';
import { createBrokerCheck } from './broker-check.ts';
import type { GatewayConfig } from './config.ts';
import { createDownstream } from './downstream.ts';
import { createFrameRate } from './frame-rate.ts';
import { createGatewayLease } from './gateway-lease.ts';
import { createGatewayMetrics } from './gateway-metrics.ts';
import { createGatewayPeers } from './gateway-peers.ts';
import { createPresence } from './presence.ts';
import { createPusherService } from './pusher-service.ts';
import { createReadMarks } from './read-marks.ts';
import { createRevokedSessions } from './revoked-sessions.ts';
import { createSeenEvents } from './seen-events.ts';
import { createConnections } from './sockets/connections.ts';
import { drainSessions } from './sockets/drain.ts';
import { watchHeartbeats } from './sockets/heartbeat.ts';
import { createInbound } from './sockets/inbound.ts';
import { createOutbox } from './sockets/outbox.ts';
import { createRefuse } from './sockets/refusal.ts';
import type { Session } from './sockets/session.ts';
import { createSessions } from './sockets/sessions.ts';
import { acceptUpgrades } from './sockets/upgrade.ts';
import { createTypingNotices } from './typing.ts';
import { createUnackedSends } from './unacked-sends.ts';
import { createUpstreamProducer } from './upstream-producer.ts';
import { createUserEvents } from './user-events.ts';

const unackedInTime = new GoChatError(
  'UNAVAILABLE',
  'The message was not stored in time. Send it again with the same clientMsgId.',
);

const maxPendingProduces = 20_000;
/** What is left to tell others gets this long each while draining. */
const flushMs = 5000;

export type Gateway = Running & { port: number; grpcPort: number; metricsPort: number; bootId: string };

/** Starts a gateway: resolves when clients can connect, with everything that they cause finding its way back. */
export async function startGateway(config: GatewayConfig, log: Logger): Promise<Gateway> {
  const gatewayId = config.GATEWAY_ID;
  const bootId = randomUUID();
  const registry = createMetrics('gateway');
  const metrics = createGatewayMetrics(registry);
  const tokens = await verifyAccessTokens(readSecretFile(config.AUTH_PUBLIC_KEY_FILE));
  const kafka = connectKafka({ brokers: config.KAFKA_BROKERS, clientId: gatewayId, log });
  const repo = connectRepo(config.REPO_ADDRESS);
  const logic = connectLogic(config.LOGIC_ADDRESS);

  const producer = kafka.producer();
  const upstreamCommit = createGroupCommit(producer, {
    maxPending: maxPendingProduces,
    onBatch: (records, seconds) => {
      metrics.produceBatch.observe(records);
      metrics.produce.observe(seconds);
    },
  });
  const eventCommit = createGroupCommit(producer, { maxPending: maxPendingProduces });
  const events = createUserEvents({ commit: eventCommit, log });

  const outbox = createOutbox({
    limitBytes: config.SEND_BUFFER_LIMIT_BYTES,
    onTooSlow: (session) => sessions.close(session, 'tooSlow'),
    onWritten: (frames) => metrics.framesOut.inc(frames),
  });
  const sessions = createSessions({
    outbox,
    onGone: (session) => {
      presence.disconnected(session);
      typing.forget(session);
    },
  });
  const refuse = createRefuse(sessions, metrics);
  const unacked = createUnackedSends<Session>({
    most: config.MAX_UNACKED_SENDS,
    timeoutMs: config.SEND_TIMEOUT_MS,
    onTimeout: (session, clientMsgId) => refuse(session, unackedInTime, clientMsgId),
  });
  const presence = createPresence({
    presence: repo.presence,
    gatewayId,
    bootId,
    events,
    onFlushed: (registered) => lease.flushed(registered),
    metrics,
    log,
  });
  const typing = createTypingNotices({ conversations: logic.conversations, onRefused: refuse });
  const readMarks = createReadMarks({ conversations: logic.conversations, onRefused: refuse });
  const rate = createFrameRate(config.RATE_LIMIT_FRAMES_PER_SECOND);
  const inbound = createInbound({
    sessions,
    rate,
    upstream: createUpstreamProducer({ commit: upstreamCommit, gatewayId, bootId }),
    unacked,
    readMarks,
    typing,
    refuse,
    metrics,
  });
  const downstream = createDownstream({ bootId, sessions, unacked, refuse, metrics, log });
  const peers = createGatewayPeers();
  const revoked = createRevokedSessions({ auth: logic.auth, onRevoked: sessions.closeLoginSession, log });
  const access = createAccess(tokens, revoked);

  await producer.connect();
  const broker = await createBrokerCheck(kafka);
  await withAdmin(kafka, (admin) => ensureDownstreamTopic(admin, gatewayId));
  const tail = await followTail(kafka, {
    topic: topics.downstream(gatewayId),
    groupId: `gateway-${bootId}`,
    onRecord: downstream.deliver,
  });

  const grpc = await serveGrpc({
    host: config.BIND_HOST,
    port: config.GATEWAY_GRPC_PORT,
    services: [
      service(
        'im_gateway.v1.PusherService',
        PusherServiceService,
        createPusherService({
          sessions,
          presence: repo.presence,
          peers,
          seen: createSeenEvents(),
          gatewayId,
          metrics,
          log,
        }),
      ),
    ],
    protoFiles: ['im_gateway/v1/pusher.proto'],
    log,
    metrics: registry,
  });
  const lease = createGatewayLease({
    presence: repo.presence,
    gateway: {
      gatewayId,
      bootId,
      pushAddress: config.GATEWAY_GRPC_ADVERTISE || `${config.BIND_HOST}:${grpc.port}`,
    },
    resend: () => presence.resend([...sessions.all()].filter(({ state }) => state === 'open')),
    log,
  });
  await Promise.all([lease.renew(), revoked.refresh()]);

  const admin = await serveAdmin({
    host: config.BIND_HOST,
    port: config.METRICS_PORT,
    metrics: registry,
    dependencies: { kafka: broker.isUp, logic: logic.ready, repo: repo.ready },
  });
  const app = await buildApp({
    logic,
    idempotency: repo.idempotency,
    access,
    revoked,
    readiness: admin.readiness,
    limits: {
      registersPerHour: config.RATE_LIMIT_REGISTER_PER_HOUR,
      loginFailuresPer15Min: config.RATE_LIMIT_LOGIN_FAILURES_PER_15MIN,
      requestsPerMinute: config.RATE_LIMIT_REQUESTS_PER_MINUTE,
    },
    trustProxy: config.TRUST_PROXY,
    metrics: registry,
    log,
  });
  const connections = createConnections({
    sessions,
    inbound,
    presence,
    revoked,
    rate,
    heartbeatMs: config.HEARTBEAT_INTERVAL_MS,
    metrics,
  });
  const upgrades = acceptUpgrades(app.server, {
    access,
    hasRoom: () => sessions.size() < config.MAX_CONNECTIONS,
    onSocket: connections.open,
    metrics,
  });
  const stopHeartbeats = watchHeartbeats({ sessions, presence, timeoutMs: config.HEARTBEAT_TIMEOUT_MS });

  registry.observed('gochat_gateway_connections', 'Open sockets.', sessions.size);
  registry.observed(
    'gochat_gateway_upstream_queue_records',
    'Records not acknowledged yet.',
    upstreamCommit.depth,
  );
  registry.observed(
    'gochat_gateway_unacked_sends',
    'Sends that wait for their acknowledgement.',
    unacked.size,
  );
  registry.observed(
    'gochat_gateway_presence_queue',
    'Session changes that wait to be flushed.',
    presence.depth,
  );
  registry.observed(
    'gochat_gateway_read_marks_queue',
    'Read marks that wait to be written.',
    readMarks.depth,
  );
  registry.observed(
    'gochat_gateway_user_events_queue',
    'Presence events that wait for the broker.',
    events.depth,
  );

  await app.listen({ host: config.GATEWAY_HOST, port: config.GATEWAY_PORT });

  async function stop(): Promise<void> {
    admin.drain();
    grpc.drain();
    upgrades.stop();
    stopHeartbeats();
    // Stops listening at once; resolves when the last request and socket are done.
    const closed = app.close();
    await drainSessions(sessions, config.DRAIN_SPREAD_MS);
    await closed;
    await Promise.all([readMarks.flush(), upstreamCommit.flush(), presence.flush(flushMs)]);
    await events.flush(flushMs);
    await lease.release();
    revoked.stop();
    unacked.stop();
    await grpc.close();
    peers.close();
    await tail.stop();
    await producer.disconnect();
    await broker.stop();
    logic.close();
    repo.close();
    await admin.close();
  }

  return {
    stop,
    bootId,
    port: (app.server.address() as AddressInfo).port,
    grpcPort: grpc.port,
    metricsPort: admin.port,
  };
}
