// Room: a database for each test file, and parts of repo on it. Only repo's tests use it.

import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import { createCache } from '../../../services/repo/cache/cache.ts';
import { createUserCards } from '../../../services/repo/rows/user-cards.ts';
import type { Crossing } from '../../../services/repo/storage/group-guard.ts';
import { createIds } from '../../../services/repo/storage/ids.ts';
import { createPrisma } from '../../../services/repo/storage/prisma.ts';
import { createRedis } from '../../../services/repo/storage/redis.ts';
import { createUserSettingsReader } from '../../../services/repo/users/user-settings.ts';
import { atEnd } from '../at-end.ts';
import { connectDatabases, openMigratedDatabase } from './database.ts';

export type RepoPartsOptions = {
  /** Called for whatever touches the tables of two groups at once. */
  onCrossing?: (crossing: Crossing) => void;
};

export type RepoParts = Awaited<ReturnType<typeof createRepoParts>>;

/**
 * The dependencies of repo's handlers, with a separate database for the test file. They are closed at the end of the
 * file.
 */
export async function createRepoParts({ redisUrl, onCrossing }: RepoPartsOptions & { redisUrl: string }) {
  const log = createLogger('test', process.env.LOG_LEVEL ?? 'fatal');
  const metrics = createMetrics('test');
  const url = await openMigratedDatabase();
  const databases = connectDatabases(url, { log, ...(onCrossing ? { onCrossing } : {}) });
  const redis = createRedis({ url: redisUrl, log, metrics });
  atEnd(redis.close);
  const cache = createCache({ redis, metrics });
  const prisma = createPrisma({ url, log });
  atEnd(prisma.close);
  const ids = await createIds({ database: databases.directory, log });
  atEnd(ids.stop);
  return {
    log,
    metrics,
    url,
    databases,
    redis,
    cache,
    prisma,
    ids,
    userCards: createUserCards({ cache, databases }),
    userSettings: createUserSettingsReader({ cache, databases }),
    outbox: { wake: () => undefined },
    /** The events written so far, in order. */
    async events(): Promise<Record<string, unknown>[]> {
      const rows = await databases.users.query<{ payload: string }>('SELECT payload FROM outbox ORDER BY id');
      return rows.map(({ payload }) => JSON.parse(payload));
    },
  };
}
