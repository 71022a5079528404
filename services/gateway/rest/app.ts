// Room: assembles the REST application from its plugins and routes. It handles no WebSockets.

import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { JWK } from 'jose';
import type { Readiness } from '../../../lib/admin.ts';
import type { FilesClient, LogicClient, RepoClient } from '../../../lib/grpc/clients.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { Access } from '../access/access.ts';
import type { RevokedSessions } from '../access/revoked-sessions.ts';
import type { ClientAddress } from '../door/client-address.ts';
import type { Hosts } from '../door/hosts.ts';
import type { Origins } from '../door/origins.ts';
import { fileRoutes, transferMs } from '../files/file-routes.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import { answerProblems, refuseBrokenHttp, sendProblem } from '../problems/problems.ts';
import { addFormats, validatorOptions } from '../validation/validator.ts';
import type { WebClient } from '../web/web-client.ts';
import { webClientRoutes } from '../web/web-client-routes.ts';
import type { Pages } from './answers/pages.ts';
import { addSharedSchemas } from './answers/schemas.ts';
import { authenticate, type CallerCounts, countUnknown } from './plugins/authenticate.ts';
import { limitBodyTime } from './plugins/body-deadline.ts';
import { setClientAddress } from './plugins/client-address.ts';
import { allowOrigins } from './plugins/cors.ts';
import { serveDocuments } from './plugins/documents.ts';
import { answerOwnHosts } from './plugins/hosts.ts';
import { honourIdempotencyKeys } from './plugins/idempotency-key.ts';
import { acceptJsonBodies } from './plugins/json-bodies.ts';
import { parseQueryNumbers } from './plugins/query-numbers.ts';
import { measureRequests } from './plugins/request-metrics.ts';
import { routedUrl } from './plugins/routed-url.ts';
import { sendSecurityHeaders } from './plugins/security-headers.ts';
import { answerUnknownRoutes } from './plugins/unknown-routes.ts';
import { authRoutes } from './routes/auth.ts';
import { blockRoutes } from './routes/blocks.ts';
import { conversationRoutes } from './routes/conversations.ts';
import { friendRequestRoutes } from './routes/friend-requests.ts';
import { friendRoutes } from './routes/friends.ts';
import { healthRoutes } from './routes/health.ts';
import { jwksRoutes } from './routes/jwks.ts';
import { memberRoutes } from './routes/members.ts';
import { messageChangeRoutes } from './routes/message-changes.ts';
import { messageRoutes } from './routes/messages.ts';
import { reactionRoutes } from './routes/reactions.ts';
import { searchRoutes } from './routes/search.ts';
import { syncRoutes } from './routes/sync.ts';
import { userRoutes } from './routes/users.ts';

export type AppDeps = {
  logic: Pick<LogicClient, 'auth' | 'users' | 'friends' | 'conversations' | 'messages'>;
  files: Pick<FilesClient, 'uploadFile' | 'readFile' | 'getUploadedFile'>;
  idempotency: RepoClient['idempotency'];
  access: Access;
  revoked: RevokedSessions;
  /** Public keys of access tokens. */
  tokenKeys: readonly JWK[];
  readiness: () => Promise<Readiness>;
  limits: RequestLimits;
  /** Bytes per file, and of all files of a user; 0 for no quota. */
  fileLimits: { fileBytes: number; quotaBytes: number };
  /** Limits the requests without a valid token, per address. */
  anonymous: RateLimit;
  pages: Pages;
  clientAddress: ClientAddress;
  hosts: Hosts;
  origins: Origins;
  webClient: WebClient;
  metrics: Metrics;
  log: Logger;
};

const bodyLimitBytes = 1024 * 1024;
/** How long the headers of a request may take to arrive, from the start of the connection for the first request. */
const headersTimeoutMs = 10_000;
/** How long a whole request may take to arrive; one with a file may take as long as its transfer. */
const requestTimeoutMs = 30_000;
/** How often these two timeouts are checked. */
const checkEveryMs = 5000;
/** A connection without traffic in either direction is closed after this time, even if an answer is not read yet. */
const idleConnectionMs = 60_000;

/** Builds the REST application. It serves after `listen`; tests call it by `inject`. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { logic, limits, pages } = deps;
  const loggerInstance: FastifyBaseLogger = deps.log;
  const app: FastifyInstance = Fastify({
    loggerInstance,
    // Requests are not logged, because URLs may hold tokens. The metrics count them per route.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    requestTimeout: transferMs,
    connectionTimeout: idleConnectionMs,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // A long id must reach its route, whose error says what was not found; the router's error does not.
    routerOptions: { maxParamLength: 16_384 },
    ajv: { customOptions: validatorOptions, plugins: [addFormats] },
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply),
    clientErrorHandler: refuseBrokenHttp,
    rewriteUrl: ({ url }) => routedUrl(url ?? '/'),
    http: {
      // Some HTTP clients offer an upgrade to HTTP/2 with every request; only WebSocket upgrades are accepted.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
      // The plugin of security headers refuses a request without Host, with a problem document.
      requireHostHeader: false,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: checkEveryMs,
    },
  });

  // Without this, Node answers 417 to an unknown Expect header by itself: no hook checks or counts the request.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));

  answerProblems(app);
  limitBodyTime(app, { ms: requestTimeoutMs, idleMs: idleConnectionMs });
  acceptJsonBodies(app);
  setClientAddress(app, deps.clientAddress);
  sendSecurityHeaders(app);
  answerOwnHosts(app, deps.hosts);
  allowOrigins(app, deps.origins);
  const counts: CallerCounts = {
    access: deps.access,
    anonymous: deps.anonymous,
    requests: limits.requests,
  };
  answerUnknownRoutes(app, { count: (request) => countUnknown(counts, request) });
  measureRequests(app, deps.metrics);
  authenticate(app, counts);
  parseQueryNumbers(app);
  honourIdempotencyKeys(app, { idempotency: deps.idempotency });
  addSharedSchemas(app);
  await serveDocuments(app);

  await app.register(healthRoutes, { readiness: deps.readiness });
  await app.register(jwksRoutes, { keys: deps.tokenKeys });
  const { registrations, signIns } = limits;
  await app.register(authRoutes, {
    auth: logic.auth,
    revoked: deps.revoked,
    registrations,
    signIns,
  });
  await app.register(userRoutes, { users: logic.users, revoked: deps.revoked, signIns });
  await app.register(friendRequestRoutes, { friends: logic.friends });
  await app.register(friendRoutes, { friends: logic.friends });
  await app.register(blockRoutes, { friends: logic.friends });
  const { conversations, messages } = logic;
  await app.register(conversationRoutes, { conversations, pages });
  await app.register(messageRoutes, { conversations, messages, pages });
  await app.register(messageChangeRoutes, { messages });
  await app.register(reactionRoutes, { messages });
  await app.register(searchRoutes, { messages });
  await app.register(memberRoutes, { conversations: logic.conversations });
  await app.register(fileRoutes, { files: deps.files, anonymous: deps.anonymous, limits: deps.fileLimits });
  await app.register(syncRoutes, { conversations: logic.conversations });
  await app.register(webClientRoutes, { webClient: deps.webClient, origins: deps.origins });
  return app;
}
