import assert from 'node:assert/strict';
import type { PresenceTransition } from '../../../lib/gen/im_repo/v1/online_status.ts';
import { openMessageRepo } from './open-repo.ts';
import type { RepoPartsOptions } from './repo-parts.ts';

type Gateway = { gatewayId: string; bootId: string };
type CleanUp = { dryRun?: boolean; cursor?: string; olderThanMs?: number; limit?: number };

export const usersOf = (transitions: readonly PresenceTransition[]) =>
  transitions.map(({ userId }) => userId);

/** Repo's handlers for presence, gateways for them, and short forms of their answers. */
export async function openPresenceRepo(options: RepoPartsOptions = {}) {
  const { redis, repo } = await openMessageRepo(options);
  const { presence } = repo;
  let gateways = 0;

  return {
    redis,
    repo,

    /** Starts a gateway with a lease, which has sent all its sessions. */
    async startGateway() {
      gateways += 1;
      const gateway = {
        gatewayId: `g${gateways}`,
        bootId: `boot-${gateways}`,
        pushAddress: `host:${gateways}`,
      };
      const renew = (synced: boolean) => presence.renewGateway({ gateway, synced });
      const update = (
        what: 'connected' | 'heartbeats' | 'disconnected',
        ...sessions: [string, string, number?][]
      ) =>
        presence.updateSessions({
          gatewayId: gateway.gatewayId,
          bootId: gateway.bootId,
          connected: [],
          heartbeats: [],
          disconnected: [],
          [what]: sessions.map(([userId, sessionId, at = Date.now()]) => ({
            userId,
            sessionId,
            connectedAt: at,
            lastActiveAt: at,
          })),
        });
      assert.equal((await renew(true)).resync, true);
      assert.equal((await renew(true)).resync, false);
      return { ...gateway, renew, update, gateway };
    },

    newUser: async () => (await repo.newUsers(1))[0] ?? '',
    isOnline: async (userId: string) => (await presence.getUserOnlineStatus({ userId })).status?.online,
    confirm: async (users: readonly PresenceTransition[]) =>
      usersOf((await presence.confirmOffline({ users: [...users] })).offline),
    located: async (userIds: string[], { gatewayId }: Gateway) =>
      (await presence.locateUsers({ userIds })).locations.find(
        ({ gateway }) => gateway?.gatewayId === gatewayId,
      )?.userIds ?? [],

    /** Lets the lease of a gateway expire. */
    async endLease({ gatewayId, bootId }: Gateway) {
      await redis.client.hdel('gateway:leases', gatewayId);
      await redis.client.zadd('gateway:boots', 0, bootId);
      await repo.gateways.release(gatewayId, bootId);
    },

    cleanUp: (options: CleanUp = {}) =>
      presence.cleanupExpiredStatus({
        dryRun: false,
        olderThanMs: 75_000,
        limit: 100,
        cursor: '',
        ...options,
      }),
  };
}

/** Sessions of a user with the same opening time. */
export const sessionsAt = (userId: string, count: number, at = Date.now()) =>
  Array.from({ length: count }, (_, index) => [userId, `${userId}-${index}`, at] as [string, string, number]);
