// Room: a database of its own and repo's parts on it. For repo's tests only.

import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import { createCache } from '../../../services/repo/cache/cache.ts';
import { createUserCards } from '../../../services/repo/rows/user-cards.ts';
import { createDatabases } from '../../../services/repo/storage/database.ts';
import { createIds } from '../../../services/repo/storage/ids.ts';
import { createPrisma } from '../../../services/repo/storage/prisma.ts';
import { createRedis } from '../../../services/repo/storage/redis.ts';
import { createUserSettingsReader } from '../../../services/repo/users/user-settings.ts';
import { createTestDatabase } from './database.ts';

export type RepoParts = Awaited<ReturnType<typeof createRepoParts>>;

/**
 * What repo's handlers are made of, over a database of the test's own and one of Redis' numbered databases, or a Redis
 * of the test's own.
 */
export async function createRepoParts(options: { redisDb: number; redisUrl?: string }) {
  const log = createLogger('test', process.env.LOG_LEVEL ?? 'fatal');
  const metrics = createMetrics('test');
  const database = await createTestDatabase();
  const databases = createDatabases({ url: database.url, log });
  const redisUrl = new URL(options.redisUrl ?? process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
  redisUrl.pathname = `/${options.redisDb}`;
  const redis = createRedis({ url: redisUrl.href, log, metrics });
  const cache = createCache({ redis, metrics });
  const prisma = createPrisma({ url: database.url, log });
  const ids = await createIds({ database: databases.users, log });
  return {
    log,
    metrics,
    url: database.url,
    databases,
    redis,
    cache,
    prisma,
    ids,
    userCards: createUserCards({ cache, databases }),
    userSettings: createUserSettingsReader({ cache, databases }),
    outbox: { wake: () => undefined },
    /** Events written so far, in order. */
    async events(): Promise<Record<string, unknown>[]> {
      const rows = await databases.users.query<{ payload: string }>('SELECT payload FROM outbox ORDER BY id');
      return rows.map(({ payload }) => JSON.parse(payload));
    },
    async close() {
      await ids.stop();
      await prisma.close();
      await redis.close();
      await databases.close();
      await database.drop();
    },
  };
}
