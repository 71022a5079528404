// Room: the presence of users: who is online, at which gateway. It is kept in Redis by the Lua scripts in this folder.
// The rules of who may see it do not belong here.

import { randomBytes, randomUUID } from 'node:crypto';
import { chunks } from '../../../lib/chunks.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { limitOf } from '../../../lib/domain/limits.ts';
import type {
  OnlineStatus,
  OnlineStatusServiceService,
  PresenceTransition,
  SessionInfo,
} from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { required } from '../../../lib/grpc/server.ts';
import type { Databases } from '../storage/databases.ts';
import { luaScript, type RedisStore } from '../storage/redis.ts';
import { rowsPerTable, rowsTable } from '../storage/sql.ts';
import type { Gateways } from './presence-gateways.ts';
import { healMs } from './presence-keys.ts';

type Handlers = UnaryHandlers<typeof OnlineStatusServiceService>;

export type PresenceDeps = {
  redis: RedisStore;
  gateways: Gateways;
  databases: Databases;
  /** How long after its gateway's death a session ends, in milliseconds. */
  offlineConfirmMs: number;
  healMs?: number;
};

const updateScript = luaScript(import.meta.url, 'presence-update', 'presence-common');
const statusScript = luaScript(import.meta.url, 'presence-status', 'presence-common');
const confirmScript = luaScript(import.meta.url, 'presence-confirm', 'presence-common');
const cleanupScript = luaScript(import.meta.url, 'presence-cleanup', 'presence-common');

const sessionsPerCall = 500;
const usersPerCall = 1000;
const cleanupPage = 500;
/**
 * Margins of the clean-up. A live gateway closes its silent sessions itself, and a flow confirms that users left. The
 * clean-up waits for both and then for these margins, so it finds only what they missed.
 */
const marginMs = 15_000;
const awayMarginMs = 60_000;

/**
 * Serves presence from the sessions that gateways report. Without Redis every call succeeds and all users are offline.
 */
export function createPresenceHandlers(deps: PresenceDeps): Handlers {
  const { redis, gateways, databases } = deps;
  const heal = deps.healMs ?? healMs;

  type Entry = readonly ['c' | 'h' | 'd', SessionInfo];

  async function update(gatewayId: string, bootId: string, entries: readonly Entry[]) {
    const cameOnline: PresenceTransition[] = [];
    const disconnected: PresenceTransition[] = [];
    let registered = true;
    for (const some of chunks(entries, sessionsPerCall)) {
      const word = randomBytes(9).toString('base64url');
      const args = some.flatMap(([what, { userId, sessionId, connectedAt, lastActiveAt }]) => {
        const activeAt = lastActiveAt || Date.now();
        return [what, userId, sessionId, connectedAt || activeAt, activeAt];
      });
      const reply = await redis.run(updateScript, [], [gatewayId, bootId, word, ...args]);
      if (reply === undefined) {
        registered = false;
        gateways.markUnsynced(bootId);
        continue;
      }
      const [came, went] = reply as [string[], string[]];
      cameOnline.push(...toTransitions(came));
      disconnected.push(...toTransitions(went));
    }
    return { cameOnline, disconnected, registered };
  }

  async function statusOf(userIds: readonly string[]): Promise<OnlineStatus[]> {
    const statuses = new Map<string, OnlineStatus>();
    for (const some of chunks(userIds, usersPerCall)) {
      const rows = (await redis.run(statusScript, [], some)) as string[][] | undefined;
      some.forEach((userId, index) => {
        const [last, ...gatewayIds] = rows?.[index] ?? [];
        const online = gatewayIds.length > 0;
        statuses.set(userId, { userId, online, lastActiveAt: Number(last ?? 0), gatewayIds });
      });
    }
    const unknown = [...statuses.values()].filter(({ lastActiveAt }) => lastActiveAt === 0);
    const stored = await lastActive(
      databases,
      unknown.map(({ userId }) => userId),
    );
    return userIds.map((userId) => {
      const status = statuses.get(userId) ?? { userId, online: false, lastActiveAt: 0, gatewayIds: [] };
      return status.lastActiveAt === 0 ? { ...status, lastActiveAt: stored.get(userId) ?? 0 } : status;
    });
  }

  return {
    async setUserOnline({ session, gatewayId, bootId }) {
      const info = required(session, 'session');
      const { cameOnline } = await update(gatewayId, bootId, [['c', info]]);
      return { cameOnline: cameOnline.length > 0, epoch: cameOnline[0]?.epoch ?? '' };
    },
    async setUserOffline({ userId, sessionId, gatewayId, bootId }) {
      const session = { userId, sessionId, connectedAt: 0, lastActiveAt: 0 };
      const { disconnected } = await update(gatewayId, bootId, [['d', session]]);
      return { disconnected: disconnected.length > 0, epoch: disconnected[0]?.epoch ?? '' };
    },
    async updateHeartbeat({ session, gatewayId, bootId }) {
      await update(gatewayId, bootId, [['h', required(session, 'session')]]);
      return {};
    },
    updateSessions: ({ gatewayId, bootId, connected, heartbeats, disconnected }) =>
      update(gatewayId, bootId, [
        ...connected.map((session) => ['c', session] as const),
        ...heartbeats.map((session) => ['h', session] as const),
        ...disconnected.map((session) => ['d', session] as const),
      ]),

    async getUserOnlineStatus({ userId }) {
      const [status] = await statusOf([userId]);
      return { status };
    },
    batchGetOnlineStatus: async ({ userIds }) => ({ statuses: await statusOf(userIds) }),

    async locateUsers({ userIds }) {
      const wanted = [...new Set(userIds)];
      const located = await gateways.locate(wanted);
      return {
        locations: located
          .map(({ gateway, users }) => ({ gateway, userIds: users === 'unknown' ? wanted : [...users] }))
          .filter((location) => location.userIds.length > 0),
      };
    },
    renewGateway: async ({ gateway, synced }) => ({
      resync: await gateways.renew(required(gateway, 'gateway'), synced),
    }),
    async releaseGateway({ gatewayId, bootId }) {
      await gateways.release(gatewayId, bootId);
      return {};
    },
    listGateways: async () => ({ gateways: (await gateways.locate([])).map(({ gateway }) => gateway) }),

    async confirmOffline({ users }) {
      const offline: PresenceTransition[] = [];
      for (const some of chunks(users, usersPerCall)) {
        const args = some.flatMap(({ userId, epoch, lastActiveAt }) => [userId, epoch, lastActiveAt]);
        const reply = (await redis.run(confirmScript, [], [heal, ...args])) as [number, string[]] | undefined;
        const waitMs = reply ? Math.ceil(reply[0]) : heal;
        if (!reply || waitMs > 0) return { offline: [], waitMs };
        offline.push(...toTransitions(reply[1]));
      }
      await storeLastActive(databases, offline);
      return { offline, waitMs: 0 };
    },

    async cleanupExpiredStatus({ dryRun, olderThanMs, limit, cursor }) {
      const silence = olderThanMs > 0 ? olderThanMs : heal + deps.offlineConfirmMs + marginMs;
      const size = limitOf(limit, { usual: cleanupPage, most: cleanupPage });
      const reply = (await redis.run(
        cleanupScript,
        [],
        [
          heal,
          silence,
          deps.offlineConfirmMs,
          deps.offlineConfirmMs + awayMarginMs,
          size,
          cursor,
          randomUUID(),
          dryRun ? 1 : 0,
        ],
      )) as [number, number, string, string[]] | undefined;
      if (!reply) return { offline: [], sessionsRemoved: 0, nextCursor: '', waitMs: heal };
      const [waitMs, sessionsRemoved, nextCursor, gone] = reply;
      const offline = toTransitions(gone);
      if (!dryRun) await storeLastActive(databases, offline);
      return { offline, sessionsRemoved, nextCursor, waitMs: Math.max(0, Math.ceil(waitMs)) };
    },
  };
}

const toTransitions = (flat: readonly string[]): PresenceTransition[] =>
  chunks(flat, 3).map(([userId = '', epoch = '', lastActiveAt = '0']) => ({
    userId,
    epoch,
    lastActiveAt: Number(lastActiveAt),
  }));

async function lastActive(databases: Databases, userIds: readonly string[]): Promise<Map<string, number>> {
  const ids = userIds.map(parseId).filter((id) => id !== undefined);
  if (ids.length === 0) return new Map();
  const rows = await databases.users.query<{ id: number; last_active_at: number }>(
    'SELECT id, last_active_at FROM users WHERE id IN (?)',
    [ids],
  );
  return new Map(rows.map((row) => [String(row.id), row.last_active_at]));
}

/** Stores last_active_at of offline users in the table users, because a flush of Redis loses it. */
async function storeLastActive(databases: Databases, users: readonly PresenceTransition[]): Promise<void> {
  const seen = users.flatMap(({ userId, lastActiveAt }) => {
    const id = parseId(userId);
    return id === undefined ? [] : [[id, Math.trunc(lastActiveAt)] as const];
  });
  if (seen.length === 0) return;
  // Sorted by primary key, so that two such statements can't deadlock.
  seen.sort(([a], [b]) => a - b);
  await databases.users.batch(
    chunks(seen, rowsPerTable)
      .map(
        (some) =>
          `UPDATE ${rowsTable(['id', 'seen'], some)} k STRAIGHT_JOIN users u ON u.id = k.id
           SET u.last_active_at = GREATEST(u.last_active_at, k.seen)`,
      )
      .join(';\n'),
  );
}
