import { bucketCount, type Placement, spreadEvenly } from './buckets.ts';
import type { Database } from './database.ts';
import type { DatabaseAddresses, Databases } from './databases.ts';

/**
 * Reads from the directory which database has which bucket of conversations, and tells it to `databases`. The first
 * start with several databases decides it: where conversations are already, all others go too; else they are spread
 * evenly. Throws a configuration error if a database is gone from the addresses.
 */
export async function placeConversations(
  databases: Databases,
  { conversations }: DatabaseAddresses,
): Promise<void> {
  const names = conversations.map(({ name }) => name);
  const stored = await readPlacement(databases.directory);
  if (!stored && names.length === 1) return;
  const placement =
    stored ?? (await storePlacement(databases.directory, await firstPlacement(databases, names)));
  const gone = placement.find((name) => !names.includes(name));
  if (gone !== undefined) {
    throw new Error(
      `configuration: conversations are in a database named "${gone}", which the addresses do not name`,
    );
  }
  databases.place(placement);
}

async function readPlacement(directory: Database): Promise<Placement | undefined> {
  const rows = await directory.query<{ bucket: number; shard: string }>(
    'SELECT bucket, shard FROM conversation_buckets ORDER BY bucket',
  );
  return rows.length === bucketCount ? rows.map(({ shard }) => shard) : undefined;
}

/** Of several processes that start at once, the first one decides. */
async function storePlacement(directory: Database, placement: Placement): Promise<Placement> {
  await directory.execute(
    'INSERT INTO conversation_buckets (bucket, shard) VALUES ? ON DUPLICATE KEY UPDATE bucket = VALUES(bucket)',
    [placement.map((shard, bucket) => [bucket, shard])],
  );
  const stored = await readPlacement(directory);
  if (!stored) throw new Error('the buckets of conversations were not stored');
  return stored;
}

async function firstPlacement({ shards }: Databases, names: readonly string[]): Promise<Placement> {
  const used = await Promise.all(shards.map(hasConversations));
  const [only, ...others] = names.filter((_, index) => used[index]);
  if (others.length > 0) {
    throw new Error(
      'configuration: several databases have conversations, but the directory does not know which has which',
    );
  }
  return spreadEvenly(only === undefined ? names : [only]);
}

/** Every database has the world room, from the migrations; it counts once somebody is in it. */
async function hasConversations(database: Database): Promise<boolean> {
  const rows = await database.query('SELECT 1 FROM conversation_members LIMIT 1');
  return rows.length > 0;
}
