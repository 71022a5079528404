// Room: im-repo, the only service that stores data. Code here assembles its rooms and serves them over gRPC. SQL and
// conversation rules do not belong here.

import { tmpdir } from 'node:os';
import { serveAdmin } from '../../lib/admin.ts';
import { retry } from '../../lib/async/retry.ts';
import { codeOf } from '../../lib/errors.ts';
import { ArchiveServiceService } from '../../lib/gen/im_repo/v1/archive.ts';
import { ConversationServiceService } from '../../lib/gen/im_repo/v1/conversation.ts';
import { FileServiceService } from '../../lib/gen/im_repo/v1/file.ts';
import { FriendshipServiceService } from '../../lib/gen/im_repo/v1/friendship.ts';
import { IdempotencyServiceService } from '../../lib/gen/im_repo/v1/idempotency.ts';
import { MessageServiceService } from '../../lib/gen/im_repo/v1/message.ts';
import { OnlineStatusServiceService } from '../../lib/gen/im_repo/v1/online_status.ts';
import { SearchServiceService } from '../../lib/gen/im_repo/v1/search.ts';
import { SequenceServiceService } from '../../lib/gen/im_repo/v1/sequence.ts';
import { UserServiceService } from '../../lib/gen/im_repo/v1/user.ts';
import type { GrpcChannel } from '../../lib/grpc/definition.ts';
import { serveGrpc, service } from '../../lib/grpc/server.ts';
import { readGrpcToken } from '../../lib/grpc/token.ts';
import { connectKafka } from '../../lib/kafka/kafka.ts';
import type { Logger } from '../../lib/log.ts';
import { createMetrics } from '../../lib/metrics.ts';
import type { Running } from '../../lib/service.ts';
import { createExternalIdentities } from './accounts/external-identities.ts';
import { createIdleGuests } from './accounts/idle-guests.ts';
import { createPasswords } from './accounts/password.ts';
import { createUserAccounts } from './accounts/user-accounts.ts';
import { createUserClosing } from './accounts/user-closing.ts';
import { createArchiveHandlers } from './archive/archive.ts';
import { createCache } from './cache/cache.ts';
import { createColdMessages } from './cold/cold-messages.ts';
import { readColdSettings } from './cold/cold-settings.ts';
import { openColdStore } from './cold/cold-store.ts';
import type { RepoConfig } from './config.ts';
import { createConversationHandlers } from './conversation-handlers.ts';
import { followDatabasesFile } from './database-moves.ts';
import { createFileLinks } from './file-links/file-links.ts';
import { createFileAccess } from './files/file-access.ts';
import { createFileContents } from './files/file-contents.ts';
import { createReleaseFile, fileProjections } from './files/file-release.ts';
import { startFileSweep } from './files/file-sweep.ts';
import { createFileHandlers } from './files/files.ts';
import { readFilesSecrets } from './files-secrets.ts';
import { createBlocks } from './friends/blocks.ts';
import { createFriendRequests } from './friends/friendship-requests.ts';
import { createFriendships } from './friends/friendships.ts';
import { createPairSettling, pairProjection } from './friends/pair-changes.ts';
import { createRelationshipsEnd } from './friends/relationships-end.ts';
import { createRequestTexts } from './friends/request-texts.ts';
import { createMessageChange } from './message-changes/message-change.ts';
import { startReactionTelling } from './message-changes/reaction-telling.ts';
import { createMessageHandlers } from './messages/messages.ts';
import { createFlowTexts } from './once/flow-texts.ts';
import { createIdempotencyHandlers } from './once/idempotency.ts';
import { startOutboxRelays } from './outbox/outbox-relays.ts';
import { createPresenceHandlers } from './presence/presence.ts';
import { createGateways } from './presence/presence-gateways.ts';
import { startProjectionWorker } from './projections/projections.ts';
import { createReceiptAudience } from './receipts/receipt-audience.ts';
import { createRecentSenders } from './receipts/recent-senders.ts';
import { createMemberLists } from './recipients/member-lists.ts';
import { createRecipients } from './recipients/recipients.ts';
import { createUserCards } from './rows/user-cards.ts';
import { watchIndexSize } from './search/index-size.ts';
import { createSearchHandlers, createSqlEngine } from './search/search.ts';
import { createSessionRevocations } from './sessions/session-revocations.ts';
import { createUserSessions } from './sessions/user-sessions.ts';
import { createDatabases } from './storage/databases.ts';
import { readDatabaseAddresses } from './storage/databases-file.ts';
import { guardGroups } from './storage/group-guard.ts';
import { createIds } from './storage/ids.ts';
import { placeConversations } from './storage/placement.ts';
import { createPrisma } from './storage/prisma.ts';
import { createRedis } from './storage/redis.ts';
import { createSequenceHandlers } from './storage/sequences.ts';
import { openStore } from './store/open-store.ts';
import { startSweeper } from './sweeper.ts';
import { createAccountNames, nameProjection } from './users/account-names.ts';
import { createUserProfiles } from './users/user-profiles.ts';
import { createUserSettings, createUserSettingsReader } from './users/user-settings.ts';
import { createWorldRoom, worldProjection } from './users/world-room.ts';

const protoFiles = [
  'archive',
  'conversation',
  'file',
  'friendship',
  'idempotency',
  'message',
  'online_status',
  'search',
  'sequence',
  'user',
].map((name) => `im_repo/v1/${name}.proto`);

/** Starts im-repo, the only service that connects to the database and Redis and relays the outbox. */
export async function startRepo(
  config: RepoConfig,
  log: Logger,
): Promise<Running & { grpcPort: number; adminPort: number; local: GrpcChannel }> {
  const metrics = createMetrics('repo');
  const addresses = readDatabaseAddresses(config);
  const coldSettings = readColdSettings(config);
  const databases = createDatabases({
    addresses,
    log,
    connectionLimit: config.DATABASE_CONNECTIONS,
    metrics,
    ...(config.CHECK_TABLE_GROUPS ? { wrap: guardGroups } : {}),
  });
  const prisma = createPrisma({ url: addresses.accounts, log });
  const moves =
    config.DATABASES_FILE === ''
      ? undefined
      : followDatabasesFile({ path: config.DATABASES_FILE, addresses, databases, prisma, log });
  const redis = createRedis({ url: config.REDIS_URL, log, metrics });
  const kafka = connectKafka({ brokers: config.KAFKA_BROKERS, clientId: 'repo', log });
  const outbox = startOutboxRelays({ databases: databases.all, kafka, log, metrics });
  const admin = await serveAdmin({
    host: config.BIND_HOST,
    port: config.METRICS_PORT,
    metrics,
    dependencies: { mysql: databases.ready, kafka: outbox.ready },
    warnings: databases.warnings,
    optional: { redis: redis.isUp, ...Object.fromEntries(databases.states) },
  });

  await retry(() => placeConversations(databases, addresses), {
    firstMs: 250,
    longestMs: 2000,
    withinMs: 60_000,
    isTransient: (error) => codeOf(error) === 'UNAVAILABLE',
  });
  await databases.checkReplicas();
  for (const warning of await databases.warnings()) log.warn(warning);
  const ids = await createIds({ database: databases.directory, log });
  const sweeper = startSweeper({ databases, log, metrics });
  const indexSize = watchIndexSize({ databases, log, metrics });
  const cache = createCache({ redis, metrics });
  const names = createAccountNames({ databases });
  const joinWorld = createWorldRoom({ databases, cache });
  const store = await openStore('FILES_URL', config.FILES_URL, { name: 'files', log, metrics });
  const access = createFileAccess({ databases });
  const releaseFile = createReleaseFile({ databases, access });
  const projections = startProjectionWorker({
    databases: databases.all,
    writers: {
      [pairProjection]: createPairSettling({ databases }),
      [nameProjection]: (userId) => names.settle(Number(userId)),
      [worldProjection]: (userId) => joinWorld(Number(userId)),
      ...fileProjections(databases, releaseFile),
    },
    log,
    metrics,
  });
  const coldStore = await openColdStore({
    url: coldSettings.url,
    directory: databases.directory,
    log,
    metrics,
  });
  const cold = createColdMessages({ databases, store: coldStore, log, metrics });
  const links = createFileLinks({ secrets: readFilesSecrets(config, log) });
  const userCards = createUserCards({ cache, databases, links });
  const userSettings = createUserSettingsReader({ cache, databases });
  const gateways = createGateways({ redis });
  const receipts = createReceiptAudience({ databases, userSettings });
  const recipients = createRecipients({ databases, memberLists: createMemberLists(databases), gateways });
  const passwords = createPasswords();
  metrics.observed('gochat_password_waiting', 'Password hashes that wait in the queue.', passwords.waiting);
  const engine = createSqlEngine({ databases, cold });
  const changeMessage = createMessageChange({
    databases,
    cache,
    cold,
    outbox,
    userCards,
    searchIndex: engine,
    links,
    releaseFile,
  });
  const contents = createFileContents({ databases, store });
  const fileSweep = startFileSweep({ databases, access, contents, releaseFile, log, metrics });
  const telling = startReactionTelling({ databases, changeMessage, log });
  const presence = createPresenceHandlers({
    redis,
    gateways,
    databases,
    offlineConfirmMs: config.OFFLINE_CONFIRM_MS,
  });
  const deps = {
    databases,
    prisma,
    redis,
    cache,
    cold,
    userCards,
    userSettings,
    ids,
    outbox,
    recipients,
    receipts,
    recentSenders: createRecentSenders(),
    passwords,
    presence,
    engine,
    searchIndex: engine,
    changeMessage,
    telling,
    store,
    contents,
    access,
    links,
    releaseFile,
    uploadFolder: config.FILES_UPLOAD_DIR || tmpdir(),
    metrics,
    log,
  };

  const grpc = await serveGrpc({
    host: config.BIND_HOST,
    port: config.REPO_GRPC_PORT,
    token: readGrpcToken(config.GRPC_TOKEN_FILE),
    services: [
      service('im_repo.v1.UserService', UserServiceService, {
        ...createUserAccounts(deps),
        ...createUserProfiles(deps),
        ...createUserSessions(deps),
        ...createSessionRevocations(deps),
        ...createExternalIdentities(deps),
        ...createUserSettings(deps),
        ...createUserClosing(deps),
        ...createFlowTexts(deps),
        ...createIdleGuests(deps),
      }),
      service('im_repo.v1.FriendshipService', FriendshipServiceService, {
        ...createFriendRequests(deps),
        ...createFriendships(deps),
        ...createBlocks(deps),
        ...createRelationshipsEnd(deps),
        ...createRequestTexts(deps),
      }),
      service('im_repo.v1.ConversationService', ConversationServiceService, createConversationHandlers(deps)),
      service('im_repo.v1.MessageService', MessageServiceService, createMessageHandlers(deps)),
      service('im_repo.v1.SearchService', SearchServiceService, createSearchHandlers(deps)),
      service('im_repo.v1.FileService', FileServiceService, createFileHandlers(deps)),
      service('im_repo.v1.OnlineStatusService', OnlineStatusServiceService, presence),
      service('im_repo.v1.IdempotencyService', IdempotencyServiceService, createIdempotencyHandlers(deps)),
      service(
        'im_repo.v1.ArchiveService',
        ArchiveServiceService,
        createArchiveHandlers({ ...deps, store: coldStore, settings: coldSettings }),
      ),
      service('im_repo.v1.SequenceService', SequenceServiceService, createSequenceHandlers(deps)),
    ],
    protoFiles,
    log,
    metrics,
  });

  return {
    grpcPort: grpc.port,
    local: grpc.local,
    adminPort: admin.port,
    async stop() {
      admin.drain();
      grpc.drain();
      await grpc.close();
      moves?.stop();
      await sweeper.stop();
      await indexSize.stop();
      await fileSweep.stop();
      await projections.stop();
      await telling.stop();
      await outbox.stop();
      await ids.stop();
      await Promise.all([
        prisma.close(),
        redis.close(),
        databases.close(),
        store.close(),
        coldStore?.objects.close(),
      ]);
      await admin.close();
    },
  };
}
