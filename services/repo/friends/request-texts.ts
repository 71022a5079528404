import { limitOf } from '../../../lib/domain/limits.ts';
import type { FriendshipServiceService } from '../../../lib/gen/im_repo/v1/friendship.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { requireClosed } from '../accounts/user-closing.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import type { Databases } from '../storage/databases.ts';

const pageSize = { usual: 100, most: 500 };

type Handlers = Pick<UnaryHandlers<typeof FriendshipServiceService>, 'eraseRequestTexts'>;

/** Erases the messages of the friend requests that a closed account sent or received. */
export function createRequestTexts({ databases }: { databases: Databases }): Handlers {
  return {
    async eraseRequestTexts(request) {
      const userId = userIdOf(request.userId);
      const limit = limitOf(request.limit, pageSize);
      await requireClosed(databases.users, userId);
      // Indexes: friendship_requests_requester and friendship_requests_target, so only this user's requests are read.
      const found = await databases.users.query<{ id: number }>(
        ['requester_id', 'target_id']
          .map(
            (side) =>
              `(SELECT id FROM friendship_requests WHERE ${side} = ${userId} AND message <> '' LIMIT ${limit + 1})`,
          )
          .join(' UNION '),
      );
      const ids = found.map(({ id }) => id).sort((a, b) => a - b);
      const page = ids.slice(0, limit);
      if (page.length > 0) {
        await databases.users.execute("UPDATE friendship_requests SET message = '' WHERE id IN (?)", [page]);
      }
      return { erased: page.length, more: ids.length > page.length };
    },
  };
}
