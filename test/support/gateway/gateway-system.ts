// Room: a gateway for each test file, with stubs of the services behind it. Only the gateway's tests use it.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { codeNumber, GoChatError } from '../../../lib/errors.ts';
import { PusherServiceService } from '../../../lib/gen/im_gateway/v1/pusher.ts';
import { AuthServiceService } from '../../../lib/gen/im_logic/v1/auth.ts';
import { ConversationServiceService } from '../../../lib/gen/im_logic/v1/conversation.ts';
import { OnlineStatusServiceService } from '../../../lib/gen/im_repo/v1/online_status.ts';
import { createClient, openChannel } from '../../../lib/grpc/client.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { serveGrpc, service } from '../../../lib/grpc/server.ts';
import { connectKafka, withAdmin } from '../../../lib/kafka/kafka.ts';
import { ensureSharedTopics, topics } from '../../../lib/kafka/topics.ts';
import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import type {
  DownstreamAck,
  DownstreamRecord,
  UpstreamMessage,
  UserEvent,
} from '../../../lib/records/records.ts';
import {
  accessTokenType,
  publicKeys,
  tokenAlgorithm,
  tokenAudience,
  tokenIssuer,
} from '../../../lib/tokens.ts';
import { atEnd } from '../at-end.ts';
import { eventually } from '../eventually.ts';
import { chat } from '../people/people.ts';
import { createMemoryPresence } from './memory-presence.ts';
import { startRealGateway } from './real-gateway.ts';

const log = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'silent');
const brokers = process.env.KAFKA_BROKERS ?? '127.0.0.1:9092';

type Presence = UnaryHandlers<typeof OnlineStatusServiceService>;
type LogicAuth = UnaryHandlers<typeof AuthServiceService>;
type LogicConversations = UnaryHandlers<typeof ConversationServiceService>;

export type GatewaySystem = Awaited<ReturnType<typeof openGatewaySystem>>;

/**
 * A real gateway on a real broker; the test replaces logic and im-repo. It sees the gateway's calls and records, and
 * produces the records to deliver. A test file opens one at its top level; it is closed at the end of the file.
 */
export async function openGatewaySystem(env: Record<string, string> = {}) {
  const presence = createMemoryPresence();
  const revoked: string[] = [];
  const reads: Parameters<LogicConversations['batchMarkAsRead']>[0]['updates'][] = [];
  const typing: { userId: string; conversationId: string }[] = [];
  const refuseReadsWith = { code: 0 };
  /** Heads of conversations, set by tests: read marks beyond a head are refused. */
  const headOf = new Map<string, number>();
  const calls = await serveGrpc({
    host: '127.0.0.1',
    port: 0,
    services: [
      service(
        'im_repo.v1.OnlineStatusService',
        OnlineStatusServiceService,
        rest<Presence>(presence.handlers),
      ),
      service(
        'im_logic.v1.AuthService',
        AuthServiceService,
        rest<LogicAuth>({
          listRevokedSessions: async () => ({
            sessions: revoked.map((id) => ({ id, accessExpiresAt: Date.now() + 900_000 })),
            nextSince: Date.now(),
            nextAfterSessionId: '',
            more: false,
          }),
        }),
      ),
      service(
        'im_logic.v1.ConversationService',
        ConversationServiceService,
        rest<LogicConversations>({
          async batchMarkAsRead({ updates }) {
            reads.push(updates);
            const isBeyond = ({ conversationId, seqId }: (typeof updates)[number]) =>
              seqId > (headOf.get(conversationId) ?? Number.MAX_SAFE_INTEGER);
            return {
              errors: updates.map((update) =>
                isBeyond(update) ? codeNumber('INVALID_ARGUMENT') : refuseReadsWith.code,
              ),
            };
          },
          async notifyTyping(request) {
            typing.push(request);
            return {};
          },
        }),
      ),
    ],
    protoFiles: [
      'im_repo/v1/online_status.proto',
      'im_logic/v1/auth.proto',
      'im_logic/v1/conversation.proto',
    ],
    log,
    metrics: createMetrics('test'),
  });

  atEnd(calls.close);

  const kafka = connectKafka({ brokers, clientId: 'gateway-test', log });
  await withAdmin(kafka, ensureSharedTopics);
  const producer = kafka.producer();
  await producer.connect();
  atEnd(() => producer.disconnect());

  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const folder = mkdtempSync(join(tmpdir(), 'gochat-gateway-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  const keyFile = join(folder, 'public.pem');
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  writeFileSync(keyFile, publicPem);
  const [{ kid } = { kid: '' }] = await publicKeys([publicPem]);

  async function start(more: Record<string, string> = {}) {
    const address = `127.0.0.1:${calls.port}`;
    const started = await startRealGateway(
      { repoAddress: address, logicAddress: address, publicKeyFile: keyFile },
      { ...env, ...more },
    );
    const { id, gateway } = started;
    const channel = openChannel(`127.0.0.1:${gateway.grpcPort}`, undefined);
    atEnd(channel.close);
    const pusher = createClient(channel, PusherServiceService);
    return {
      ...started,
      /** Produces a downstream record for this gateway, as logic does, with any events. */
      deliver: (record: Partial<Omit<DownstreamRecord, 'events'>> & { events?: object[] }) =>
        producer.send({
          topic: topics.downstream(id),
          messages: [
            {
              value: JSON.stringify({
                gateway_boot_id: gateway.bootId,
                messages: [],
                acks: [],
                events: [],
                ...record,
              }),
            },
          ],
        }),
      /** Acknowledges sends before their record, as logic does. */
      acknowledge: (acks: readonly DownstreamAck[], bootId = gateway.bootId) =>
        pusher.acknowledgeSends({
          bootId,
          acknowledgements: acks.map((ack) => ({
            sessionId: ack.session_id,
            conversationId: ack.conversation_id,
            clientMsgId: ack.client_msg_id,
            messageId: ack.message_id,
            seqId: ack.seq_id,
            createdAt: ack.created_at,
            duplicate: ack.duplicate,
          })),
        }),
    };
  }

  const token = (userId: string, sid: string = randomUUID(), type: string = accessTokenType) =>
    new SignJWT({ sid, guest: false })
      .setProtectedHeader({ alg: tokenAlgorithm, typ: type, kid })
      .setIssuer(tokenIssuer)
      .setAudience(tokenAudience)
      .setSubject(userId)
      .setExpirationTime('15m')
      .sign(privateKey);

  let lastUser = 1000;

  return {
    presence,
    newUser: () => String(++lastUser),
    revoked,
    reads,
    typing,
    refuseReadsWith,
    headOf,
    start,
    token,
    /** Opens a socket for a user and waits for its welcome. */
    connect: async (url: string, userId: string, sid?: string) =>
      chat({ accessToken: await token(userId, sid) }, url),
    upstream: (gatewayId: string) =>
      follow<UpstreamMessage>(topics.upstream, (record) => record.gateway_id === gatewayId),
    userEvents: (userIds: string[]) =>
      follow<UserEvent>(topics.userEvents, (record) => userIds.includes(record.user_id)),
  };

  /** Collects the records of a shared topic that are appended from now on and concern the test. */
  async function follow<R>(topic: string, concerns: (record: R) => boolean): Promise<R[]> {
    const records: R[] = [];
    const consumer = kafka.consumer({ groupId: `test-${randomUUID()}` });
    atEnd(() => consumer.disconnect());
    let fetching = false;
    consumer.on(consumer.events.FETCH, () => {
      fetching = true;
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: false });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        const record: R = JSON.parse(message.value?.toString('utf8') ?? 'null');
        if (record !== null && concerns(record)) records.push(record);
      },
    });
    // The start offset of a consumer is fixed only after its first fetch.
    await eventually(() => fetching);
    return records;
  }
}

/** Completes the handlers of a service: calls of missing handlers are answered UNAVAILABLE. */
function rest<H extends object>(some: Partial<H>): H {
  const missing = async () => {
    throw new GoChatError('UNAVAILABLE', 'The test does not answer this call.');
  };
  return new Proxy(some, { get: (target, key) => Reflect.get(target, key) ?? missing }) as H;
}
