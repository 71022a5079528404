import { sendState } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { type Position, pageOf, readPaging } from '../../../lib/domain/paging.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { FriendshipServiceService } from '../../../lib/gen/im_repo/v1/friendship.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Cache } from '../cache/cache.ts';
import { domainEvent, type Outbox, writeEvents } from '../outbox/outbox.ts';
import { userBlocksKey } from '../rows/user-blocks.ts';
import { cardOf, type UserCards } from '../rows/user-cards.ts';
import type { Sql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Prisma } from '../storage/prisma.ts';
import { pairOf } from './friendship-pair.ts';
import { settleBlocked } from './friendship-requests.ts';
import { createPairChanges } from './pair-changes.ts';

type Handlers = Pick<
  UnaryHandlers<typeof FriendshipServiceService>,
  'blockUser' | 'unblockUser' | 'listBlocks'
>;

/** Serves blocks. A block ends the friendship and any pending request, and stops messages in both directions. */
export function createBlocks(deps: {
  databases: Databases;
  prisma: Prisma;
  cache: Cache;
  userCards: UserCards;
  outbox: Outbox;
  log: Logger;
}): Handlers {
  const { databases, prisma, cache, userCards, outbox } = deps;
  const pairs = createPairChanges(deps);

  const touching = (a: string, b: string, work: () => Promise<void>) =>
    cache.change(async (touch) => {
      await touch([userBlocksKey(a), userBlocksKey(b)]);
      await work();
    });

  return {
    async blockUser({ userId, blockedId }) {
      if (userId === blockedId) throw new GoChatError('INVALID_ARGUMENT', 'You cannot block yourself.');
      const pair = pairOf(userId, blockedId);
      // A repeated call changes nothing.
      if (await isBlocking(databases.users, userId, blockedId)) return {};
      await touching(userId, blockedId, () =>
        pairs.closing(pair, sendState.blocked, async (tx) => {
          if (await isBlocking(tx, userId, blockedId)) return;
          await settleBlocked(tx, pair);
          await tx.execute(
            'DELETE FROM friendships WHERE (user_id = ? AND friend_id = ?) OR (user_id = ? AND friend_id = ?)',
            [pair.low, pair.high, pair.high, pair.low],
          );
          await tx.execute('INSERT INTO user_blocks (user_id, blocked_id, created_at) VALUES (?)', [
            [Number(userId), Number(blockedId), Date.now()],
          ]);
          await writeEvents(tx, [
            domainEvent({ type: 'friend.blocked', actor_id: userId, user_id: userId, friend_id: blockedId }),
          ]);
        }),
      );
      outbox.wake();
      return {};
    },

    async unblockUser({ userId, blockedId }) {
      const pair = pairOf(userId, blockedId);
      await touching(userId, blockedId, () =>
        pairs.opening(pair, async (tx) => {
          const { affectedRows } = await tx.execute(
            'DELETE FROM user_blocks WHERE user_id = ? AND blocked_id = ?',
            [Number(userId), Number(blockedId)],
          );
          if (affectedRows === 0) return { changed: false, result: undefined };
          // Nothing is restored. A block by the other user stays in force.
          await writeEvents(tx, [
            domainEvent({
              type: 'friend.unblocked',
              actor_id: userId,
              user_id: userId,
              friend_id: blockedId,
            }),
          ]);
          return { changed: true, result: undefined };
        }),
      );
      outbox.wake();
      return {};
    },

    async listBlocks(request) {
      const { limit, offset, after } = readPaging('blocks', request);
      const id = parseId(request.userId);
      if (!id) return { users: [] };
      const found = await prisma.read((client) =>
        client.userBlock.findMany({
          // Index: ranges of user_blocks_time, in its order.
          where: { userId: id, ...(after ? blockedBefore(after) : {}) },
          orderBy: [{ createdAt: 'desc' }, { blockedId: 'desc' }],
          take: limit + 1,
          skip: offset,
        }),
      );
      const { rows, nextCursor } = pageOf('blocks', found, limit, (row) => [
        Number(row.createdAt),
        Number(row.blockedId),
      ]);
      const ids = rows.map(({ blockedId }) => String(blockedId));
      const users = await userCards.byIds(ids);
      return { users: ids.map((blockedId) => cardOf(users, blockedId)), nextCursor };
    },
  };
}

async function isBlocking(sql: Sql, userId: string, blockedId: string): Promise<boolean> {
  const rows = await sql.query('SELECT 1 FROM user_blocks WHERE user_id = ? AND blocked_id = ?', [
    Number(userId),
    Number(blockedId),
  ]);
  return rows.length > 0;
}

const blockedBefore = ([createdAt, blockedId]: Position<'blocks'>) => ({
  OR: [{ createdAt: { lt: createdAt } }, { createdAt, blockedId: { lt: blockedId } }],
});
