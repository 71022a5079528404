import type { TestContext } from 'node:test';
import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import { cacheKey, cacheKind, createCache, type Reading } from '../../../services/repo/cache/cache.ts';
import { createRedis } from '../../../services/repo/storage/redis.ts';
import { eventually } from '../eventually.ts';
import { startPrivateRedis } from '../servers/redis-server.ts';

/** The cache kind of the tests. */
export const thing = cacheKind<string>('thing', 60_000);

/** A separate Redis for the test file, caches of several processes on it, and a map that replaces the database. */
export async function openCachedThings() {
  const server = await startPrivateRedis();
  /** The stored value of each thing. */
  const rows = new Map<string, string>();
  /** The number of reads of `rows`. */
  const loads = { count: 0 };
  let lastId = 0;

  async function connect() {
    const metrics = createMetrics('test');
    const redis = createRedis({ url: server.url, log: createLogger('test', 'silent'), metrics });
    const cache = createCache({ redis, metrics });
    await eventually(() => redis.isUp());
    return { cache, metrics, redis, disconnect: redis.close };
  }

  async function load(missing: string[]) {
    loads.count += 1;
    return new Map(missing.flatMap((id) => (rows.has(id) ? [[id, rows.get(id) ?? ''] as const] : [])));
  }

  return {
    server,
    rows,
    loads,
    load,
    /** Opens the cache of one process. */
    connect,
    /** Opens the cache of another process, closed after the test. */
    async connectFor(context: TestContext) {
      const other = await connect();
      context.after(other.disconnect);
      return other;
    },
    /** An id that no earlier test has cached. */
    newId(value = 'old') {
      lastId += 1;
      const id = `t${lastId}`;
      rows.set(id, value);
      return id;
    },
    /** Replaces the value in Redis, so that a test sees whether a read came from Redis or from memory. */
    async spoilInRedis(id: string) {
      const key = cacheKey(thing, id);
      await eventually(async () => (await server.client.exists(key)) === 1);
      await server.client.set(key, `${await server.client.get('cache:epoch')}"spoilt"`);
    },
    valueIn: async (reading: Reading, id: string) => (await reading.read(thing, [id], load)).get(id),
  };
}
