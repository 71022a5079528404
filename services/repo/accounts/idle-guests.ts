import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { limitOf } from '../../../lib/domain/limits.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { OnlineStatusServiceService } from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Databases } from '../storage/databases.ts';
import type { RedisStore } from '../storage/redis.ts';

const guestsPerPage = { usual: 100, most: 500 };

type Handlers = Pick<UnaryHandlers<typeof UserServiceService>, 'listIdleGuests'>;
type Row = { id: number; last_active_at: number };

/** Lists guests who have been idle for so long that they may be erased. */
export function createIdleGuests(deps: {
  databases: Databases;
  redis: Pick<RedisStore, 'isUp'>;
  presence: Pick<UnaryHandlers<typeof OnlineStatusServiceService>, 'batchGetOnlineStatus'>;
}): Handlers {
  const { databases, redis, presence } = deps;
  return {
    async listIdleGuests({ idleBefore, cursor, limit }) {
      const pageSize = limitOf(limit, guestsPerPage);
      const [afterTime, afterId] = readCursor(cursor);
      // Indexes: users_guest_active and sessions_user. A session counts as used each time its access token is renewed.
      const rows = await databases.users.query<Row>(
        `SELECT u.id, u.last_active_at FROM users u
         LEFT JOIN sessions s ON s.user_id = u.id AND s.last_used_at >= ?
         WHERE u.is_guest = TRUE AND u.status = ${accountStatus.active} AND u.last_active_at < ?
           AND (u.last_active_at > ? OR (u.last_active_at = ? AND u.id > ?))
           AND s.id IS NULL
         ORDER BY u.last_active_at, u.id LIMIT ?`,
        [idleBefore, idleBefore, afterTime, afterTime, afterId, pageSize],
      );
      const last = rows.at(-1);
      const ids = rows.map(({ id }) => String(id));
      return {
        userIds: await withoutOnline(ids, idleBefore),
        nextCursor: last && rows.length === pageSize ? `${last.last_active_at}:${last.id}` : '',
      };
    },
  };

  /** Removes users who are online or were active lately. Throws UNAVAILABLE without Redis: presence is unknown then. */
  async function withoutOnline(userIds: string[], idleBefore: number): Promise<string[]> {
    if (userIds.length === 0) return [];
    const { statuses } = await presence.batchGetOnlineStatus({ userIds });
    if (!redis.isUp()) {
      throw new GoChatError('UNAVAILABLE', 'The presence of users is unknown right now. Try again.');
    }
    return userIds.filter((_, index) => {
      const status = statuses[index];
      return status !== undefined && !status.online && status.lastActiveAt < idleBefore;
    });
  }
}

function readCursor(cursor: string): [lastActiveAt: number, id: number] {
  if (cursor === '') return [-1, 0];
  const parts = cursor.split(':').map(Number);
  const [lastActiveAt, id] = parts;
  if (parts.length !== 2 || !Number.isSafeInteger(lastActiveAt) || !Number.isSafeInteger(id)) {
    throw new GoChatError('INVALID_ARGUMENT', 'The cursor is not valid.');
  }
  return [lastActiveAt as number, id as number];
}
