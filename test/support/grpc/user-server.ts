// Room: a gRPC server with one small service. Only the tests of lib/grpc use it.

import { UserServiceService } from '../../../lib/gen/im_logic/v1/user.ts';
import type { ServedHandlers } from '../../../lib/grpc/definition.ts';
import { type GrpcServer, serveGrpc, service } from '../../../lib/grpc/server.ts';
import type { GrpcToken } from '../../../lib/grpc/token.ts';
import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';

type Handlers = ServedHandlers<typeof UserServiceService>;

/** A gRPC server with one service, logic's UserService. Without handlers its calls return nearly empty answers. */
export function serveUsers(handlers: Partial<Handlers> = {}, token?: GrpcToken): Promise<GrpcServer> {
  return serveGrpc({
    host: '127.0.0.1',
    port: 0,
    services: [
      service('im_logic.v1.UserService', UserServiceService, {
        getUser: async () => ({ user: undefined, presence: undefined }),
        updateProfile: async () => ({ user: undefined }),
        getSettings: async () => ({}),
        updateSettings: async () => ({}),
        searchUsers: async () => ({ users: [] }),
        deleteAccount: async () => ({}),
        ...handlers,
      }),
    ],
    protoFiles: ['im_logic/v1/user.proto'],
    ...(token && { token }),
    log: createLogger('test', 'silent'),
    metrics: createMetrics('test'),
  });
}
