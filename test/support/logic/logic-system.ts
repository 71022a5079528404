// Room: im-logic and im-repo for each test file, on real servers. Only logic's tests use it.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectLogic } from '../../../lib/grpc/clients.ts';
import { createGatewayPeers } from '../../../lib/grpc/gateway-peers.ts';
import { connectKafka, withAdmin } from '../../../lib/kafka/kafka.ts';
import { followTail } from '../../../lib/kafka/tail.ts';
import {
  ensureDownstreamTopic,
  ensureSharedTopics,
  ensureTopics,
  topics,
} from '../../../lib/kafka/topics.ts';
import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import type { DownstreamRecord, UpstreamRecord } from '../../../lib/records/records.ts';
import { readLogicConfig } from '../../../services/logic/config.ts';
import { startLogic } from '../../../services/logic/service.ts';
import { startUpstream } from '../../../services/logic/upstream/consumer.ts';
import { createProducing } from '../../../services/logic/upstream/producing.ts';
import { atEnd } from '../at-end.ts';
import { eventually } from '../eventually.ts';
import { openRepoService } from '../repo/repo-service.ts';

export type LogicSystem = Awaited<ReturnType<typeof openLogicSystem>>;

const log = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'fatal');

/**
 * im-repo and im-logic with a separate database, upstream topic and gateway id for the test file. `received` has the
 * records that the gateway would get. A test file opens one at its top level; it is closed at the end of the file.
 */
export async function openLogicSystem(env: Record<string, string> = {}) {
  const name = randomUUID();
  const topic = `test.upstream.${name}`;
  const logicId = `logic-${name}`;
  const gateway = { gatewayId: `gateway-${name}`, bootId: 'boot', pushAddress: '127.0.0.1:1' };
  const kafka = connectKafka({
    brokers: process.env.KAFKA_BROKERS ?? '127.0.0.1:9092',
    clientId: 'test',
    log,
  });
  atEnd(() =>
    withAdmin(kafka, (admin) =>
      admin.deleteTopics({
        topics: [topic, topics.downstream(gateway.gatewayId), topics.downstream(logicId)],
      }),
    ),
  );
  await withAdmin(kafka, async (admin) => {
    await ensureSharedTopics(admin);
    await ensureDownstreamTopic(admin, gateway.gatewayId);
    await ensureTopics(admin, [{ topic, numPartitions: 4, retentionMs: 3_600_000 }]);
  });

  const privateKeyFile = env.AUTH_PRIVATE_KEY_FILE ?? writeKey();
  const { repo, address, databases } = await openRepoService(env);
  const config = readLogicConfig({
    ...process.env,
    ...env,
    REPO_ADDRESS: address,
    AUTH_PRIVATE_KEY_FILE: privateKeyFile,
    LOGIC_GRPC_PORT: '0',
    METRICS_PORT: '0',
    LOGIC_ID: logicId,
    BIND_HOST: '127.0.0.1',
  });
  const service = await startLogic(config, log, { topic, groupId: `logic-${name}` });
  atEnd(service.stop);
  const logicAddress = `127.0.0.1:${service.grpcPort}`;
  const logic = connectLogic(logicAddress);
  atEnd(logic.close);
  const producer = kafka.producer();
  await producer.connect();
  atEnd(() => producer.disconnect());
  const received: DownstreamRecord[] = [];
  const tail = await followTail(kafka, {
    topic: topics.downstream(gateway.gatewayId),
    groupId: `tail-${name}`,
    onRecord: (value) => received.push(JSON.parse(value.toString('utf8'))),
  });
  atEnd(tail.stop);
  await eventually(async () => (await fetch(`http://127.0.0.1:${service.adminPort}/readyz`)).ok);

  return {
    repo,
    logic,
    gateway,
    received,
    /** Queries the database, and changes what no RPC can change. */
    query: databases.users.query,
    adminPort: service.adminPort,
    /** What a gateway needs to serve this system. */
    behindGateway: { repoAddress: address, logicAddress, publicKeyFile: privateKeyFile },
    messages: () => received.flatMap((record) => record.messages),
    acks: () => received.flatMap((record) => record.acks),
    events: () => received.flatMap((record) => record.events),
    /** Opens a socket session for a user at the test's gateway, by the call that the gateway would make. */
    async connect(userId: string): Promise<string> {
      const sessionId = randomUUID();
      const now = Date.now();
      await repo.presence.renewGateway({ gateway, synced: true });
      await repo.presence.updateSessions({
        gatewayId: gateway.gatewayId,
        bootId: gateway.bootId,
        connected: [{ sessionId, userId, connectedAt: now, lastActiveAt: now }],
        heartbeats: [],
        disconnected: [],
      });
      return sessionId;
    },
    append: (...records: (UpstreamRecord & { conversation_id: string })[]) =>
      producer.send({
        topic,
        messages: records.map((record) => ({ key: record.conversation_id, value: JSON.stringify(record) })),
      }),
    /** Processes all records again, as after a crash before the first commit. */
    async redeliver(until: () => boolean): Promise<void> {
      const producing = await createProducing({ kafka, log });
      const peers = createGatewayPeers(undefined);
      const upstream = await startUpstream({
        kafka,
        messages: repo.messages,
        producing,
        peers,
        ownSends: { settle: () => false },
        metrics: createMetrics('logic'),
        log,
        topic,
        groupId: `again-${randomUUID()}`,
      });
      await eventually(until);
      await upstream.stop();
      peers.close();
      await producing.disconnect();
    },
  };
}

/** Writes a new key that signs access tokens; returns the path. */
export function writeKey(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-key-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'private.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return path;
}
