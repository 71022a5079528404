import { chunks } from '../../../lib/chunks.ts';
import type { Cache } from '../cache/cache.ts';
import { cacheKey, cacheKind } from '../cache/cache.ts';
import type { Databases } from '../storage/databases.ts';

/** The users who blocked a user or whom that user blocked. `isWhole` is false if the list was cut at its limit. */
export type UserBlocks = { userIds: string[]; isWhole: boolean };

const userBlocks = cacheKind<UserBlocks>('user:blocks', 60 * 60_000);

/** The cache key that a block or unblock must touch, for both users. */
export const userBlocksKey = (userId: string): string => cacheKey(userBlocks, userId);

/** Bounds the list: a user may be blocked by very many others. */
const maxBlocks = 5000;
const usersPerStatement = 100;

/** Reads the blocks of the given users, through the cache or a reading of it. */
export function readUserBlocks(
  { databases, from }: { databases: Databases; from: Pick<Cache, 'read'> },
  userIds: readonly string[],
): Promise<Map<string, UserBlocks>> {
  return from.read(userBlocks, [...new Set(userIds)], async (missing) => {
    const parts = await Promise.all(
      chunks(missing, usersPerStatement).map((some) =>
        databases.users.query<{ user: number; other: number }>(
          // Indexes: the primary key of user_blocks, user_blocks_blocked.
          some
            .map(Number)
            .flatMap((id) => [
              `(SELECT ${id} AS user, blocked_id AS other FROM user_blocks WHERE user_id = ${id} LIMIT ${maxBlocks + 1})`,
              `(SELECT ${id} AS user, user_id AS other FROM user_blocks WHERE blocked_id = ${id} LIMIT ${maxBlocks + 1})`,
            ])
            .join(' UNION ALL '),
        ),
      ),
    );
    const others = Map.groupBy(parts.flat(), ({ user }) => String(user));
    return new Map(
      missing.map((userId) => {
        const ids = (others.get(userId) ?? []).map(({ other }) => String(other));
        return [userId, { userIds: ids.slice(0, maxBlocks), isWhole: ids.length <= maxBlocks }];
      }),
    );
  });
}
