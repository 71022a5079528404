// Room: assembles the gateway, which serves REST and WebSocket to clients. It stores nothing, and the rules of accounts
// and conversations belong to im-logic.

import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { serveAdmin } from '../../lib/admin.ts';
import { readSecretFiles } from '../../lib/config.ts';
import { PusherServiceService } from '../../lib/gen/im_gateway/v1/pusher.ts';
import { connectFiles, connectLogic, connectRepo } from '../../lib/grpc/clients.ts';
import { createGatewayPeers } from '../../lib/grpc/gateway-peers.ts';
import { serveGrpc, service } from '../../lib/grpc/server.ts';
import { readGrpcToken } from '../../lib/grpc/token.ts';
import { createGroupCommit, type GroupCommit } from '../../lib/kafka/group-commit.ts';
import { connectKafka, withAdmin } from '../../lib/kafka/kafka.ts';
import { measureTransit } from '../../lib/kafka/record-metrics.ts';
import { followTail } from '../../lib/kafka/tail.ts';
import { ensureDownstreamTopic, ensureSharedTopics, topics } from '../../lib/kafka/topics.ts';
import type { Logger } from '../../lib/log.ts';
import { createMetrics, type Metrics } from '../../lib/metrics.ts';
import type { Running } from '../../lib/service.ts';
import { publicKeys, verifyAccessTokens } from '../../lib/tokens.ts';
import { createAccess } from './access/access.ts';
import { limitConnections } from './access/connection-limit.ts';
import { createRevokedSessions } from './access/revoked-sessions.ts';
import { createBrokerCheck } from './broker-check.ts';
import type { GatewayConfig } from './config.ts';
import { createPusherService } from './delivery/pusher-service.ts';
import { createSeenEvents } from './delivery/seen-events.ts';
import { createClientAddress } from './door/client-address.ts';
import { createRateLimit } from './limits/rate-limit.ts';
import { createRequestLimits } from './limits/request-limits.ts';
import { createGatewayMetrics } from './metrics/gateway-metrics.ts';
import { createGatewayLease } from './presence/gateway-lease.ts';
import { createUserEvents, type UserEvents } from './presence/user-events.ts';
import { createRealtime, type Realtime } from './realtime.ts';
import { createPages } from './rest/answers/pages.ts';
import { buildApp } from './rest/app.ts';
import { createSendPace } from './sending/send-pace.ts';
import { createAdmission } from './sockets/admission.ts';
import { drainSessions } from './sockets/drain.ts';
import { watchHeartbeats } from './sockets/heartbeat.ts';
import { acceptUpgrades } from './sockets/upgrade.ts';
import { createWebClient } from './web/web-client.ts';

const maxPendingProduces = 20_000;
/** How long running requests may take after all sockets are closed. */
const requestsMs = 10_000;
/** How long each queue of presence changes and events may take to flush at the stop. */
const flushMs = 5000;

export type Gateway = Running & { port: number; grpcPort: number; metricsPort: number; bootId: string };

/** Starts a gateway. Resolves when clients can connect and the gateway receives acks, messages and events for them. */
export async function startGateway(config: GatewayConfig, log: Logger): Promise<Gateway> {
  const gatewayId = config.GATEWAY_ID;
  const bootId = randomUUID();
  const registry = createMetrics('gateway');
  const metrics = createGatewayMetrics(registry);
  const tokenKeys = await publicKeys(readSecretFiles(config.AUTH_PUBLIC_KEY_FILE));
  const tokens = verifyAccessTokens(tokenKeys);
  const kafka = connectKafka({ brokers: config.KAFKA_BROKERS, clientId: gatewayId, log });
  const token = readGrpcToken(config.GRPC_TOKEN_FILE);
  const repo = connectRepo(config.REPO_ADDRESS, token);
  const logic = connectLogic(config.LOGIC_ADDRESS, token);
  const files = connectFiles(config.REPO_ADDRESS, token);

  const producer = kafka.producer();
  const pace = createSendPace();
  const upstream = createGroupCommit(producer, {
    maxPending: maxPendingProduces,
    lingerMs: pace.lingerMs,
    onBatch: (records, seconds, waitedSeconds) => {
      metrics.produceWait.observe(waitedSeconds);
      metrics.produceBatch.observe(records);
      metrics.produce.observe(seconds);
    },
  });
  const events = createUserEvents({
    commit: createGroupCommit(producer, { maxPending: maxPendingProduces }),
    log,
  });

  const realtime = createRealtime({
    config,
    bootId,
    upstream,
    pace,
    events,
    conversations: logic.conversations,
    presence: repo.presence,
    isRevoked: (sessionId) => revoked.has(sessionId),
    isKnown: () => lease.isKnown(),
    onFlushed: (registered) => lease.flushed(registered),
    metrics,
    log,
  });
  const { sessions, presence } = realtime;
  const peers = createGatewayPeers(token);
  const revoked = createRevokedSessions({ auth: logic.auth, onRevoked: sessions.closeLoginSession, log });
  const access = createAccess(tokens, revoked);

  await producer.connect();
  const broker = await createBrokerCheck(kafka);
  await withAdmin(kafka, async (admin) => {
    await ensureSharedTopics(admin);
    await ensureDownstreamTopic(admin, gatewayId);
  });
  const tail = await followTail(kafka, {
    topic: topics.downstream(gatewayId),
    groupId: `gateway-${bootId}`,
    onRecord: realtime.downstream.deliver,
    onFetch: measureTransit(registry, 'gochat.messages.downstream'),
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
          departures: realtime.departures,
          presence: repo.presence,
          peers,
          seen: createSeenEvents(),
          downstream: realtime.downstream,
          gatewayId,
          metrics,
          log,
        }),
      ),
    ],
    protoFiles: ['im_gateway/v1/pusher.proto'],
    token,
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
    onLapsed: () => void drainSessions(sessions, config.DRAIN_SPREAD_MS),
    log,
  });
  await Promise.all([lease.renew(), revoked.refresh()]);

  const admin = await serveAdmin({
    host: config.BIND_HOST,
    port: config.METRICS_PORT,
    metrics: registry,
    dependencies: {
      kafka: broker.isUp,
      logic: async () => revoked.isComplete() && (await logic.ready()),
      repo: repo.ready,
    },
  });
  const clientAddress = createClientAddress(config.TRUST_PROXY, log);
  const anonymous = createRateLimit({
    limit: config.RATE_LIMIT_ANONYMOUS_PER_MINUTE,
    windowMs: 60_000,
    sentence: 'Too many requests from this address without signing in. Try again when the minute is over.',
  });
  const app = await buildApp({
    logic,
    files,
    idempotency: repo.idempotency,
    access,
    revoked,
    tokenKeys: tokenKeys.map(({ jwk }) => jwk),
    readiness: admin.readiness,
    limits: createRequestLimits({
      auth: logic.auth,
      requestsPerMinute: config.RATE_LIMIT_REQUESTS_PER_MINUTE,
      registersPerHour: config.RATE_LIMIT_REGISTER_PER_HOUR,
      loginFailuresPer15Min: config.RATE_LIMIT_LOGIN_FAILURES_PER_15MIN,
    }),
    fileLimits: { fileBytes: config.FILE_MAX_BYTES, quotaBytes: config.FILE_QUOTA_BYTES },
    anonymous,
    pages: createPages(registry),
    clientAddress,
    hosts: config.ALLOWED_HOSTS,
    origins: config.ALLOWED_ORIGINS,
    webClient: createWebClient({ origins: config.ALLOWED_ORIGINS }),
    metrics: registry,
    log,
  });
  const upgrades = acceptUpgrades(app.server, {
    access,
    admission: createAdmission(sessions, {
      all: config.MAX_CONNECTIONS,
      perAddress: config.MAX_SOCKETS_PER_ADDRESS,
      perUser: config.MAX_SOCKETS_PER_USER,
    }),
    clientAddress,
    hosts: config.ALLOWED_HOSTS,
    origins: config.ALLOWED_ORIGINS,
    anonymous,
    onSocket: realtime.connections.open,
    metrics,
    log,
  });
  limitConnections(app.server, {
    maxSockets: config.MAX_CONNECTIONS,
    maxSocketsPerAddress: config.MAX_SOCKETS_PER_ADDRESS,
    proxies: config.TRUST_PROXY,
    onRefused: () => metrics.connectionsRefused.inc(),
  });
  const stopHeartbeats = watchHeartbeats({ sessions, presence, timeoutMs: config.HEARTBEAT_TIMEOUT_MS });

  observeQueues(registry, realtime, upstream, events);

  await app.listen({ host: config.GATEWAY_HOST, port: config.GATEWAY_PORT });

  async function stop(): Promise<void> {
    admin.drain();
    grpc.drain();
    upgrades.stop();
    stopHeartbeats();
    // app.close() stops listening at once, and resolves when the last request and socket have ended.
    const closed = app.close();
    await drainSessions(sessions, config.DRAIN_SPREAD_MS);
    const cutOff = setTimeout(() => app.server.closeAllConnections(), requestsMs);
    await closed;
    clearTimeout(cutOff);
    await Promise.all([realtime.readMarks.flush(), upstream.flush(), presence.flush(flushMs)]);
    await events.flush(flushMs);
    await lease.release();
    revoked.stop();
    realtime.unacked.stop();
    await grpc.close();
    peers.close();
    await tail.stop();
    await producer.disconnect();
    await broker.stop();
    logic.close();
    repo.close();
    files.close();
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

function observeQueues(
  metrics: Metrics,
  realtime: Realtime,
  upstream: GroupCommit,
  events: UserEvents,
): void {
  const { sessions, unacked, presence, readMarks } = realtime;
  const sendBuffers = () => {
    let bytes = 0;
    for (const { stream } of sessions.all()) bytes += stream.writableLength;
    return bytes;
  };
  metrics.observed('gochat_gateway_connections', 'Open sockets.', sessions.size);
  metrics.observed('gochat_gateway_send_buffer_bytes', 'Bytes that wait in send buffers.', sendBuffers);
  metrics.observed('gochat_gateway_upstream_queue_records', 'Records not acknowledged yet.', upstream.depth);
  metrics.observed(
    'gochat_gateway_unacked_sends',
    'Sends that wait for their acknowledgement.',
    unacked.size,
  );
  metrics.observed(
    'gochat_gateway_unacked_sends_limit',
    'How many sends may wait for their acknowledgement; fewer while more is sent than can be stored.',
    unacked.limit,
  );
  metrics.observed(
    'gochat_gateway_presence_queue',
    'Session changes that wait to be flushed.',
    presence.depth,
  );
  metrics.observed('gochat_gateway_read_marks_queue', 'Read marks that wait to be written.', readMarks.depth);
  metrics.observed(
    'gochat_gateway_user_events_queue',
    'Presence events that wait for the broker.',
    events.depth,
  );
}
