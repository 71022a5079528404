import type { Cache } from '../cache/cache.ts';
import { cacheKey, cacheKind, chunks } from '../cache/cache.ts';
import type { Databases } from '../storage/database.ts';

/** Who is in a block with a user, whichever of the two blocked; not all of them when there are too many. */
export type UserBlocks = { userIds: string[]; isWhole: boolean };

const userBlocks = cacheKind<UserBlocks>('user:blocks', 60 * 60_000);

/** What a block touches, of both users. */
export const userBlocksKey = (userId: string): string => cacheKey(userBlocks, userId);

/** Somebody may be blocked by very many. */
const maxBlocks = 5000;
const usersPerStatement = 100;

/** The blocks of every user asked for, through the cache or a reading of it. */
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
