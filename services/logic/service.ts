// Room: im-logic: the rules of accounts, friends, conversations and messages, served over gRPC, and the consumer of
// the messages that clients send. im-logic stores nothing; im-repo does.

import { serveAdmin } from '../../lib/admin.ts';
import { readSecretFiles } from '../../lib/config.ts';
import { AuthServiceService } from '../../lib/gen/im_logic/v1/auth.ts';
import { ConversationServiceService } from '../../lib/gen/im_logic/v1/conversation.ts';
import { FriendServiceService } from '../../lib/gen/im_logic/v1/friend.ts';
import { MessageServiceService } from '../../lib/gen/im_logic/v1/message.ts';
import { UserServiceService } from '../../lib/gen/im_logic/v1/user.ts';
import { connectRepo } from '../../lib/grpc/clients.ts';
import type { GrpcChannel } from '../../lib/grpc/definition.ts';
import { createGatewayPeers } from '../../lib/grpc/gateway-peers.ts';
import { serveGrpc, service } from '../../lib/grpc/server.ts';
import { readGrpcToken } from '../../lib/grpc/token.ts';
import { createGroupCommit } from '../../lib/kafka/group-commit.ts';
import { connectKafka, withAdmin } from '../../lib/kafka/kafka.ts';
import { ensureSharedTopics } from '../../lib/kafka/topics.ts';
import type { Logger } from '../../lib/log.ts';
import { createMetrics } from '../../lib/metrics.ts';
import type { Running } from '../../lib/service.ts';
import { verifyAccessTokens } from '../../lib/tokens.ts';
import { createAuth } from './accounts/auth.ts';
import { createIssuers, readIssuers } from './accounts/issuers.ts';
import { createTokens } from './accounts/tokens.ts';
import { createUsers } from './accounts/users.ts';
import type { LogicConfig } from './config.ts';
import { createConversationList } from './conversations/conversation-list.ts';
import { createConversations } from './conversations/conversations.ts';
import { createConversationCreator } from './conversations/creation.ts';
import { createMembers } from './conversations/members.ts';
import { createTyping } from './conversations/typing.ts';
import { connectFlows } from './flows/flows.ts';
import { createFriends } from './friends/friends.ts';
import { createMessages } from './messages/messages.ts';
import { startSending } from './messages/sending.ts';
import { startUpstream } from './upstream/consumer.ts';
import { createProducing } from './upstream/producing.ts';

/** Starts im-logic. Resolves when it consumes messages and answers calls. */
export async function startLogic(
  config: LogicConfig,
  log: Logger,
  /** Overrides of the defaults, for several systems that share a broker or a process. */
  place: { topic?: string; groupId?: string; repo?: GrpcChannel } = {},
): Promise<Running & { grpcPort: number; adminPort: number }> {
  const tokens = await createTokens({
    privateKeyPems: readSecretFiles(config.AUTH_PRIVATE_KEY_FILE),
    accessTtlS: config.ACCESS_TOKEN_TTL_S,
    refreshTtlMs: config.REFRESH_TOKEN_TTL_MS,
  });
  const verifier = verifyAccessTokens(tokens.publicKeys);
  const issuers = createIssuers(readIssuers(config.AUTH_ISSUERS_FILE));
  const metrics = createMetrics('logic');
  const token = readGrpcToken(config.GRPC_TOKEN_FILE);
  const repo = connectRepo(place.repo ?? config.REPO_ADDRESS, token);
  const flows = connectFlows({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    log,
    metrics,
  });

  const kafka = connectKafka({ brokers: config.KAFKA_BROKERS, clientId: config.LOGIC_ID, log });
  await withAdmin(kafka, ensureSharedTopics);
  const producer = kafka.producer();
  await producer.connect();
  const produced = metrics.latency('gochat_upstream_produce_seconds', 'Time of one upstream produce.');
  const upstreamQueue = createGroupCommit(producer, {
    maxPending: 10_000,
    onBatch: (_records, seconds) => produced.observe(seconds),
  });
  const producing = await createProducing({ kafka, log });
  const sending = await startSending({
    kafka,
    upstream: upstreamQueue,
    receiverId: config.LOGIC_ID,
    log,
    ...place,
  });
  metrics.observed('gochat_rest_sends_waiting', 'REST sends that wait to be stored.', sending.waiting);
  const peers = createGatewayPeers(token);
  const upstream = await startUpstream({
    kafka,
    messages: repo.messages,
    producing,
    peers,
    ownSends: sending,
    metrics,
    log,
    ...place,
  });

  const groupMaxMembers = config.GROUP_MAX_MEMBERS;
  const grpc = await serveGrpc({
    host: config.BIND_HOST,
    port: config.LOGIC_GRPC_PORT,
    token,
    log,
    metrics,
    protoFiles: ['auth', 'user', 'friend', 'conversation', 'message'].map(
      (name) => `im_logic/v1/${name}.proto`,
    ),
    services: [
      service(
        'im_logic.v1.AuthService',
        AuthServiceService,
        createAuth({ users: repo.users, tokens, verifier, issuers }),
      ),
      service('im_logic.v1.UserService', UserServiceService, createUsers({ repo, flows })),
      service(
        'im_logic.v1.FriendService',
        FriendServiceService,
        createFriends({
          users: repo.users,
          friendships: repo.friendships,
          conversations: repo.conversations,
          flows,
        }),
      ),
      service(
        'im_logic.v1.ConversationService',
        ConversationServiceService,
        createConversations({
          conversations: repo.conversations,
          messages: repo.messages,
          list: createConversationList({ conversations: repo.conversations, metrics }),
          members: createMembers({ conversations: repo.conversations, flows }),
          create: createConversationCreator({ repo, flows, groupMaxMembers }),
          typing: createTyping({ repo, deliver: producing.attempt }),
          groupMaxMembers,
        }),
      ),
      service(
        'im_logic.v1.MessageService',
        MessageServiceService,
        createMessages({
          messages: repo.messages,
          search: repo.search,
          sending,
          recallWindowMs: config.RECALL_WINDOW_MS,
          editWindowMs: config.EDIT_WINDOW_MS,
        }),
      ),
    ],
  });
  const admin = await serveAdmin({
    host: config.BIND_HOST,
    port: config.METRICS_PORT,
    metrics,
    dependencies: { repo: repo.ready, kafka: upstream.isConsuming },
    // Without Temporal, users can still chat; only friend requests, groups and member changes must wait.
    optional: { temporal: flows.isUp },
  });

  return {
    grpcPort: grpc.port,
    adminPort: admin.port,
    async stop() {
      admin.drain();
      grpc.drain();
      // Calls in flight may wait for messages to be stored, so consuming ends after them.
      await grpc.close();
      await upstream.stop();
      await upstreamQueue.flush();
      await sending.stop();
      await Promise.all([producer.disconnect(), producing.disconnect(), flows.close()]);
      peers.close();
      repo.close();
      await admin.close();
    },
  };
}
