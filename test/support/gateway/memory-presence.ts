import { randomUUID } from 'node:crypto';
import type {
  GatewayInfo,
  OnlineStatusServiceService,
  SessionInfo,
  UpdateSessionsRequest,
} from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';

type Handlers = UnaryHandlers<typeof OnlineStatusServiceService>;
type Known = SessionInfo & { gatewayId: string };

/** The presence RPCs of im-repo that gateways call, in memory, with state that tests can read and change. */
export function createMemoryPresence() {
  const gateways = new Map<string, GatewayInfo>();
  const sessions = new Map<string, Known>();
  const epochs = new Map<string, string>();
  const flushes: UpdateSessionsRequest[] = [];
  const renewals: boolean[] = [];
  const state = {
    resync: false,
    registered: true,
    before: (): Promise<void> => Promise.resolve(),
    beforeRenewal: (): Promise<void> => Promise.resolve(),
  };

  const sessionsOf = (userId: string) =>
    [...sessions.values()].filter((session) => session.userId === userId);

  const handlers: Pick<
    Handlers,
    'updateSessions' | 'renewGateway' | 'releaseGateway' | 'locateUsers' | 'listGateways'
  > = {
    async updateSessions(request) {
      await state.before();
      flushes.push(request);
      const cameOnline = [];
      const disconnected = [];
      for (const session of [...request.connected, ...request.heartbeats]) {
        const { userId } = session;
        if (sessionsOf(userId).length === 0) {
          epochs.set(userId, randomUUID());
          cameOnline.push({ userId, epoch: epochs.get(userId) ?? '', lastActiveAt: session.lastActiveAt });
        }
        sessions.set(session.sessionId, { ...session, gatewayId: request.gatewayId });
      }
      for (const { sessionId, userId, lastActiveAt } of request.disconnected) {
        const known = sessions.delete(sessionId);
        if (known && sessionsOf(userId).length === 0) {
          disconnected.push({ userId, epoch: epochs.get(userId) ?? '', lastActiveAt });
        }
      }
      return { cameOnline, disconnected, registered: state.registered };
    },
    async renewGateway({ gateway, synced }) {
      await state.beforeRenewal();
      renewals.push(synced);
      if (gateway) gateways.set(gateway.gatewayId, gateway);
      const { resync } = state;
      state.resync = false;
      return { resync };
    },
    async releaseGateway({ gatewayId }) {
      gateways.delete(gatewayId);
      return {};
    },
    async locateUsers({ userIds }) {
      const locations = [...gateways.values()].map((gateway) => ({
        gateway,
        userIds: userIds.filter((userId) =>
          sessionsOf(userId).some(({ gatewayId }) => gatewayId === gateway.gatewayId),
        ),
      }));
      return { locations: locations.filter((location) => location.userIds.length > 0) };
    },
    listGateways: async () => ({ gateways: [...gateways.values()] }),
  };
  return { handlers, gateways, sessions, flushes, renewals, state };
}
