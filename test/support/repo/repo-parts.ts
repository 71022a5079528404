// Room: a database for each test file, and parts of repo on it. Only repo's tests use it.

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import type { Door } from '../../../scripts/testing/doors/door.ts';
import { createCache } from '../../../services/repo/cache/cache.ts';
import { createColdMessages } from '../../../services/repo/cold/cold-messages.ts';
import { createColdStore } from '../../../services/repo/cold/cold-store.ts';
import { createFileLinks } from '../../../services/repo/file-links/file-links.ts';
import { createFileAccess } from '../../../services/repo/files/file-access.ts';
import { createReleaseFile } from '../../../services/repo/files/file-release.ts';
import { createUserCards } from '../../../services/repo/rows/user-cards.ts';
import { type DatabaseAddresses, oneDatabase } from '../../../services/repo/storage/databases.ts';
import { createIds } from '../../../services/repo/storage/ids.ts';
import { createPrisma } from '../../../services/repo/storage/prisma.ts';
import { createRedis } from '../../../services/repo/storage/redis.ts';
import { openStore } from '../../../services/repo/store/open-store.ts';
import { createUserSettingsReader } from '../../../services/repo/users/user-settings.ts';
import { atEnd } from '../at-end.ts';
import { openDatabaseDoor } from '../servers/database-door.ts';
import { connectDatabases, openMigratedDatabase } from './database.ts';

export type RepoPartsOptions = {
  /** One database; one for each group of tables; or two for conversations as well. */
  layout?: 'one' | 'split' | 'sharded';
  /** How long a call waits for Redis. A busy machine may exceed the default, and then Redis is bypassed. */
  redisTimeoutMs?: number;
  /** Each database is reached through a door of its own: see `doors`. */
  throughDoors?: boolean;
};

export type RepoParts = Awaited<ReturnType<typeof createRepoParts>>;

/**
 * The dependencies of repo's handlers, with a separate database for the test file. They are closed at the end of the
 * file.
 */
export async function createRepoParts({
  redisUrl,
  layout = 'one',
  redisTimeoutMs,
  throughDoors = false,
}: RepoPartsOptions & { redisUrl: string }) {
  const log = createLogger('test', process.env.LOG_LEVEL ?? 'fatal');
  const metrics = createMetrics('test');
  const url = await openMigratedDatabase();
  const doors = new Map<string, Door>();
  const direct = await openLayout(layout, url);
  const addresses = throughDoors ? await behindDoors(direct, doors) : direct;
  const databases = connectDatabases(addresses, { log });
  const redis = createRedis({ url: redisUrl, log, metrics, commandTimeoutMs: redisTimeoutMs });
  atEnd(redis.close);
  const cache = createCache({ redis, metrics });
  const prisma = createPrisma({ url, log });
  atEnd(prisma.close);
  const ids = await createIds({ database: databases.directory, log });
  atEnd(ids.stop);
  const coldFolder = mkdtempSync(join(tmpdir(), 'gochat-cold-'));
  atEnd(() => rm(coldFolder, { recursive: true, force: true }));
  const coldUrl = `file://${coldFolder}`;
  const coldStore = createColdStore({
    objects: await openStore('COLD_URL', coldUrl, { name: 'cold', log, metrics }),
    url: coldUrl,
    directory: databases.directory,
  });
  const links = createFileLinks({ secrets: ['a secret of the tests'] });
  const access = createFileAccess({ databases });
  return {
    log,
    metrics,
    coldFolder,
    coldStore,
    cold: createColdMessages({ databases, store: coldStore, log, metrics }),
    url,
    /** The doors to the databases, by their role: "directory", "accounts" or the name of a shard. */
    doors,
    databases,
    redis,
    cache,
    prisma,
    ids,
    links,
    access,
    releaseFile: createReleaseFile({ databases, access }),
    userCards: createUserCards({ cache, databases, links }),
    userSettings: createUserSettingsReader({ cache, databases }),
    outbox: { wake: () => undefined },
    /** The events written so far, in order. */
    async events(): Promise<Record<string, unknown>[]> {
      const outboxes = databases.all.map((database) =>
        database.query<{ payload: string }>('SELECT payload FROM outbox ORDER BY id'),
      );
      return (await Promise.all(outboxes)).flat().map(({ payload }) => JSON.parse(payload));
    },
  };
}

async function behindDoors(
  { directory, accounts, conversations }: DatabaseAddresses,
  doors: Map<string, Door>,
): Promise<DatabaseAddresses> {
  const through = async (role: string, address: string): Promise<string> => {
    const { url, door } = await openDatabaseDoor(address);
    doors.set(role, door);
    return url;
  };
  return {
    directory: await through('directory', directory),
    accounts: await through('accounts', accounts),
    conversations: await Promise.all(
      conversations.map(async ({ name, url }) => ({ name, url: await through(name, url) })),
    ),
  };
}

async function openLayout(layout: 'one' | 'split' | 'sharded', accounts: string): Promise<DatabaseAddresses> {
  if (layout === 'one') return oneDatabase(accounts);
  const names = layout === 'split' ? ['c1'] : ['c1', 'c2'];
  return {
    directory: await openMigratedDatabase(),
    accounts,
    conversations: await Promise.all(
      names.map(async (name) => ({ name, url: await openMigratedDatabase() })),
    ),
  };
}
