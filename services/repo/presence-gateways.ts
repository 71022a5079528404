import type { GatewayInfo } from '../../lib/gen/im_repo/v1/online_status.ts';
import { chunks } from './cache.ts';
import { leaseMs, presenceKeys } from './presence-keys.ts';
import { luaScript, type RedisStore } from './redis.ts';

/** A live gateway and who of those asked about has a session there; 'unknown' means it may be any of them. */
export type Located = { gateway: GatewayInfo; users: ReadonlySet<string> | 'unknown' };

export type Gateways = {
  /** One Redis round trip, whatever the number of users. Without Redis: every gateway known here, 'unknown'. */
  locate(userIds: readonly string[]): Promise<Located[]>;
  /** Keeps the lease; true when the gateway has to send all of its sessions (again). */
  renew(gateway: GatewayInfo, synced: boolean): Promise<boolean>;
  release(gatewayId: string, bootId: string): Promise<void>;
  /** Sessions of this boot could not be registered: until it has sent them all again, it is 'unknown'. */
  doubt(bootId: string): void;
};

const locateScript = luaScript('presence-locate');
const renewScript = luaScript('presence-renew', 'presence-common');
const releaseScript = luaScript('presence-release', 'presence-common');
const unsyncScript = luaScript('presence-unsync', 'presence-common');
/** Below what Lua's unpack can take. */
const usersPerCall = 4000;

/**
 * The gateways by their leases in Redis, and beside them by what this process saw itself: a gateway that Redis forgot
 * (or can't be asked about) within the time of a lease is still given what it may need.
 */
export function createGateways(deps: { redis: RedisStore; clock?: () => number }): Gateways {
  const { redis } = deps;
  const clock = deps.clock ?? (() => performance.now());
  const remembered = new Map<string, { gateway: GatewayInfo; until: number }>();
  const doubted = new Set<string>();

  redis.beforeUse(async (run) => {
    await run(unsyncScript, [], [...doubted]);
  });

  const remember = (gateway: GatewayInfo) => {
    remembered.set(gateway.gatewayId, { gateway, until: clock() + leaseMs });
  };

  /** What Redis answers for some of the users; undefined without Redis. */
  async function ask(userIds: readonly string[]): Promise<Located[] | undefined> {
    const reply = await redis.run(locateScript, [presenceKeys.leases], userIds);
    if (reply === undefined) return undefined;
    return (reply as [string, string, string][]).map(([gatewayId, text, found]) => {
      const lease = JSON.parse(text) as { boot_id: string; push_address: string; synced: boolean };
      const gateway = { gatewayId, bootId: lease.boot_id, pushAddress: lease.push_address };
      const known = lease.synced && !doubted.has(lease.boot_id);
      return {
        gateway,
        users: known ? new Set(userIds.filter((_, index) => found[index] === '1')) : 'unknown',
      };
    });
  }

  return {
    async locate(userIds) {
      const parts = userIds.length === 0 ? [[]] : chunks(userIds, usersPerCall);
      const answers = await Promise.all(parts.map(ask));
      const located = new Map<string, Located>();
      for (const one of answers.flatMap((answer) => answer ?? [])) {
        const before = located.get(one.gateway.bootId);
        located.set(one.gateway.bootId, before ? { ...one, users: union(before.users, one.users) } : one);
        remember(one.gateway);
      }
      const complete = answers.every((answer) => answer !== undefined);
      for (const [gatewayId, { gateway, until }] of remembered) {
        if (until < clock() && complete) remembered.delete(gatewayId);
        else if (!complete || !located.has(gateway.bootId))
          located.set(gateway.bootId, { gateway, users: 'unknown' });
      }
      return [...located.values()];
    },

    async renew(gateway, synced) {
      remember(gateway);
      const trusted = synced && !doubted.has(gateway.bootId);
      // Cleared first: what fails from here on belongs to the next resync.
      doubted.delete(gateway.bootId);
      const reply = await redis.run(
        renewScript,
        [],
        [gateway.gatewayId, gateway.bootId, gateway.pushAddress, trusted ? 1 : 0, leaseMs],
      );
      if (reply === undefined) doubted.add(gateway.bootId);
      return reply !== 0;
    },

    async release(gatewayId, bootId) {
      if (remembered.get(gatewayId)?.gateway.bootId === bootId) remembered.delete(gatewayId);
      doubted.delete(bootId);
      await redis.run(releaseScript, [], [gatewayId, bootId]);
    },

    doubt(bootId) {
      doubted.add(bootId);
    },
  };
}

const union = (a: Located['users'], b: Located['users']): Located['users'] =>
  a === 'unknown' || b === 'unknown' ? 'unknown' : new Set([...a, ...b]);
