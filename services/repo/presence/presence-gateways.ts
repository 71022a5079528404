import { chunks } from '../../../lib/chunks.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { GatewayInfo } from '../../../lib/gen/im_repo/v1/online_status.ts';
import { luaScript, type RedisStore } from '../storage/redis.ts';
import { leaseMs, presenceKeys } from './presence-keys.ts';

/** A gateway and the requested users who have a session there. 'unknown' means that any of them may have one. */
export type Located = { gateway: GatewayInfo; users: ReadonlySet<string> | 'unknown' };

export type Gateways = {
  /**
   * Locates users at the gateways that can be called, in one Redis round trip for any number of users. Without Redis it
   * returns every gateway that this process knows, with 'unknown' users. It throws UNAVAILABLE in the first seconds of
   * the process, before it knows the gateways.
   */
  locate(userIds: readonly string[]): Promise<Located[]>;
  /**
   * Locates users at the gateways that may still read their topic: also those whose lease ended recently, with
   * 'unknown' users. A gateway that was paused or could not reach im-repo still has its sockets, and its topic then
   * holds what they would otherwise miss.
   */
  locateTopics(userIds: readonly string[]): Promise<Located[]>;
  /** Renews the lease. Returns true if the gateway must send all of its sessions (again). */
  renew(gateway: GatewayInfo, synced: boolean): Promise<boolean>;
  release(gatewayId: string, bootId: string): Promise<void>;
  /**
   * Call this if sessions of a boot could not be registered. Its users are 'unknown' until it sends all sessions again.
   */
  markUnsynced(bootId: string): void;
};

const locateScript = luaScript(import.meta.url, 'presence-locate');
const renewScript = luaScript(import.meta.url, 'presence-renew', 'presence-common');
const releaseScript = luaScript(import.meta.url, 'presence-release', 'presence-common');
const unsyncScript = luaScript(import.meta.url, 'presence-unsync', 'presence-common');
/** Less than the limit of Lua's unpack. */
const usersPerCall = 4000;
/** Longer than the heartbeat timeout of a session. After that the gateway has no socket left that needs a record. */
const topicMs = 2 * 60_000;
/**
 * While this process was down, gateways could not renew their leases here. For a lease's time after its start, leases
 * that ended within this time still count.
 */
const outageMs = 10 * 60_000;

/**
 * Knows the gateways from their leases in Redis and from the renewals that this process has seen. A gateway that Redis
 * lost, or for which Redis can't be asked, is therefore still included for the time of a lease.
 */
export function createGateways(deps: {
  redis: RedisStore;
  clock?: () => number;
  /** How long after its start a process can't know all gateways without Redis, in milliseconds. */
  startMs?: number;
}): Gateways {
  const { redis, startMs = leaseMs } = deps;
  const clock = deps.clock ?? (() => performance.now());
  const startedAt = clock();
  /** True once Redis has answered. Its answer includes gateways that have not renewed at this process yet. */
  let answered = false;
  const remembered = new Map<string, { gateway: GatewayInfo; until: number }>();
  const unsynced = new Set<string>();

  redis.beforeUse(async (run) => {
    await run(unsyncScript, [], [...unsynced]);
  });

  const remember = (gateway: GatewayInfo) => {
    remembered.set(gateway.gatewayId, { gateway, until: clock() + leaseMs });
  };

  /** Asks Redis about a part of the users. Returns undefined without Redis. */
  async function ask(userIds: readonly string[], lapsedMs: number): Promise<Located[] | undefined> {
    const reply = await redis.run(locateScript, [presenceKeys.leases], [lapsedMs, ...userIds]);
    if (reply === undefined) return undefined;
    return (reply as [string, string, string, number][]).map(([gatewayId, text, found, live]) => {
      const lease = JSON.parse(text) as { boot_id: string; push_address: string; synced: boolean };
      const gateway = { gatewayId, bootId: lease.boot_id, pushAddress: lease.push_address };
      if (live) remember(gateway);
      const known = live && lease.synced && !unsynced.has(lease.boot_id);
      return {
        gateway,
        users: known ? new Set(userIds.filter((_, index) => found[index] === '1')) : 'unknown',
      };
    });
  }

  async function locate(userIds: readonly string[], lapsedMs: number): Promise<Located[]> {
    const starting = clock() - startedAt < startMs;
    const parts = userIds.length === 0 ? [[]] : chunks(userIds, usersPerCall);
    const answers = await Promise.all(
      parts.map((part) => ask(part, starting ? Math.max(lapsedMs, outageMs) : lapsedMs)),
    );
    const located = new Map<string, Located>();
    for (const one of answers.flatMap((answer) => answer ?? [])) {
      const before = located.get(one.gateway.bootId);
      located.set(one.gateway.bootId, before ? { ...one, users: union(before.users, one.users) } : one);
    }
    const complete = answers.every((answer) => answer !== undefined);
    answered ||= complete;
    // Every gateway that can reach this process renews its lease here within `startMs`.
    if (!answered && starting) throw gatewaysUnknown;
    for (const [gatewayId, { gateway, until }] of remembered) {
      if (until < clock() && complete) remembered.delete(gatewayId);
      else if (!complete || !located.has(gateway.bootId))
        located.set(gateway.bootId, { gateway, users: 'unknown' });
    }
    return [...located.values()];
  }

  return {
    locate: (userIds) => locate(userIds, 0),
    locateTopics: (userIds) => locate(userIds, topicMs),

    async renew(gateway, synced) {
      remember(gateway);
      const trusted = synced && !unsynced.has(gateway.bootId);
      // Cleared before the call: a registration that fails from here on requires another resync.
      unsynced.delete(gateway.bootId);
      const reply = await redis.run(
        renewScript,
        [],
        [gateway.gatewayId, gateway.bootId, gateway.pushAddress, trusted ? 1 : 0, leaseMs],
      );
      if (reply === undefined) unsynced.add(gateway.bootId);
      return reply !== 0;
    },

    async release(gatewayId, bootId) {
      if (remembered.get(gatewayId)?.gateway.bootId === bootId) remembered.delete(gatewayId);
      unsynced.delete(bootId);
      await redis.run(releaseScript, [], [gatewayId, bootId]);
    },

    markUnsynced(bootId) {
      unsynced.add(bootId);
    },
  };
}

const gatewaysUnknown = new GoChatError(
  'UNAVAILABLE',
  'im-repo has just started and cannot reach Redis: it does not know the gateways yet. Try again.',
);

const union = (a: Located['users'], b: Located['users']): Located['users'] =>
  a === 'unknown' || b === 'unknown' ? 'unknown' : new Set([...a, ...b]);
