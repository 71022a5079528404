import { GoChatError } from '../../../lib/errors.ts';
import type { GatewayInfo } from '../../../lib/gen/im_repo/v1/online_status.ts';
import { chunks } from '../cache/cache.ts';
import { luaScript, type RedisStore } from '../storage/redis.ts';
import { leaseMs, presenceKeys } from './presence-keys.ts';

/** A live gateway and who of those asked about has a session there; 'unknown' means it may be any of them. */
export type Located = { gateway: GatewayInfo; users: ReadonlySet<string> | 'unknown' };

export type Gateways = {
  /**
   * Those that can be called. One Redis round trip, whatever the number of users. Without Redis: every gateway known
   * here, 'unknown'; UNAVAILABLE in the first seconds of a process, when it knows none.
   */
  locate(userIds: readonly string[]): Promise<Located[]>;
  /**
   * Those whose topic somebody may read: also gateways whose lease has ended lately, as 'unknown'. One that stood still or
   * could not reach im-repo has its sockets yet, and finds there what they would miss.
   */
  locateTopics(userIds: readonly string[]): Promise<Located[]>;
  /** Keeps the lease; true when the gateway has to send all of its sessions (again). */
  renew(gateway: GatewayInfo, synced: boolean): Promise<boolean>;
  release(gatewayId: string, bootId: string): Promise<void>;
  /** Sessions of this boot could not be registered: until it has sent them all again, it is 'unknown'. */
  markUnsynced(bootId: string): void;
};

const locateScript = luaScript(import.meta.url, 'presence-locate');
const renewScript = luaScript(import.meta.url, 'presence-renew', 'presence-common');
const releaseScript = luaScript(import.meta.url, 'presence-release', 'presence-common');
const unsyncScript = luaScript(import.meta.url, 'presence-unsync', 'presence-common');
/** Below what Lua's unpack can take. */
const usersPerCall = 4000;
/** Longer than a gateway lets a session be silent: after it no socket is left that a record could be for. */
const topicMs = 2 * 60_000;
/** While this process was away nobody could renew: the leases that ended since then count until everybody had the time to. */
const outageMs = 10 * 60_000;

/**
 * The gateways by their leases in Redis, and beside them by what this process saw itself: a gateway that Redis forgot
 * (or can't be asked about) within the time of a lease is still given what it may need.
 */
export function createGateways(deps: {
  redis: RedisStore;
  clock?: () => number;
  /** How long after its start a process cannot know all gateways without Redis. */
  startMs?: number;
}): Gateways {
  const { redis, startMs = leaseMs } = deps;
  const clock = deps.clock ?? (() => performance.now());
  const startedAt = clock();
  /** Whether Redis has ever answered here: it tells of gateways that this process has not heard of yet. */
  let answered = false;
  const remembered = new Map<string, { gateway: GatewayInfo; until: number }>();
  const unsynced = new Set<string>();

  redis.beforeUse(async (run) => {
    await run(unsyncScript, [], [...unsynced]);
  });

  const remember = (gateway: GatewayInfo) => {
    remembered.set(gateway.gatewayId, { gateway, until: clock() + leaseMs });
  };

  /** What Redis answers for some of the users; undefined without Redis. */
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
    // Every gateway that can reach this process renews its lease here within this time.
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
      // Cleared first: what fails from here on belongs to the next resync.
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
