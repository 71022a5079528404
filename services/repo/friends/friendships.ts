// Room: friend requests, friendships and blocks between two users. The rooms of conversations create the conversations
// of friends.

import { accountStatus, sendState } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { pageOf, readPaging } from '../../../lib/domain/paging.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { seesPresence } from '../../../lib/domain/user-settings.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Friend, FriendshipServiceService } from '../../../lib/gen/im_repo/v1/friendship.ts';
import type { OnlineStatusServiceService } from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Logger } from '../../../lib/log.ts';
import { domainEvent, type Outbox, writeEvents } from '../outbox/outbox.ts';
import { cardOf, type UserCards } from '../rows/user-cards.ts';
import type { Databases } from '../storage/databases.ts';
import { rowsTable } from '../storage/sql.ts';
import type { UserSettingsReader } from '../users/user-settings.ts';
import { type Pair, pairOf, readPair } from './friendship-pair.ts';
import { createPairChanges } from './pair-changes.ts';

/** The most friend ids per page: less than 2 MB in a gRPC response. */
const maxFriendIds = 100_000;

type Handlers = Pick<
  UnaryHandlers<typeof FriendshipServiceService>,
  'getUserFriends' | 'batchGetFriendIds' | 'updateFriendRemark' | 'deleteFriend' | 'getRelationships'
>;

type FriendRow = { friend_id: number; remark: string };

/** Serves friendships. A friendship has two rows, so that the friends of a user are one range of the primary key. */
export function createFriendships(deps: {
  databases: Databases;
  userCards: UserCards;
  userSettings: UserSettingsReader;
  presence: Pick<UnaryHandlers<typeof OnlineStatusServiceService>, 'batchGetOnlineStatus'>;
  outbox: Outbox;
  log: Logger;
}): Handlers {
  const { databases, userCards, userSettings, presence, outbox } = deps;
  const pairs = createPairChanges(deps);

  async function toFriends(userId: string, rows: FriendRow[]): Promise<Friend[]> {
    if (rows.length === 0) return [];
    const ids = rows.map((row) => String(row.friend_id));
    const [users, settings, { statuses }, conversations] = await Promise.all([
      userCards.byIds(ids),
      userSettings.byIds(ids),
      presence.batchGetOnlineStatus({ userIds: ids }),
      singleConversations(databases, userId, ids),
    ]);
    return rows.map((row, index) => {
      const id = String(row.friend_id);
      const isSeen = seesPresence(settings.get(id)?.lastSeen ?? '', true);
      const status = isSeen ? statuses[index] : undefined;
      return {
        user: cardOf(users, id),
        remark: row.remark,
        online: status?.online ?? false,
        lastActiveAt: status?.lastActiveAt ?? 0,
        conversationId: conversations.get(id) ?? '',
      };
    });
  }

  return {
    async getUserFriends(request) {
      const { userId, friendId } = request;
      const id = parseId(userId) ?? 0;
      if (friendId !== '') {
        const rows = await databases.users.query<FriendRow>(
          'SELECT friend_id, remark FROM friendships WHERE user_id = ? AND friend_id = ?',
          [id, parseId(friendId) ?? 0],
        );
        return { friends: await toFriends(userId, rows) };
      }
      const { limit, offset, after: [afterFriendId] = [0] } = readPaging('friends', request);
      const found = await databases.users.query<FriendRow>(
        // Index: a range of the primary key, in its order.
        `SELECT friend_id, remark FROM friendships
         WHERE user_id = ? AND friend_id > ? ORDER BY friend_id LIMIT ? OFFSET ?`,
        [id, afterFriendId, limit + 1, offset],
      );
      const { rows, nextCursor } = pageOf('friends', found, limit, (row) => [row.friend_id]);
      return { friends: await toFriends(userId, rows), nextCursor };
    },

    async batchGetFriendIds({ userIds, cursor }) {
      if (userIds.length > limits.usersPerCall)
        throw new GoChatError('INVALID_ARGUMENT', `At most ${limits.usersPerCall} users.`);
      const { limit, after } = readPaging('friend ids', { limit: maxFriendIds, cursor }, maxFriendIds);
      const [afterUserId, afterFriendId] = after ?? [0, 0];
      const ids = userIds
        .map(parseId)
        .filter((id) => id !== undefined)
        .filter((id) => id >= afterUserId);
      const found =
        ids.length === 0
          ? []
          : await databases.users.query<{ user_id: number; friend_id: number }>(
              // Index: ranges of the primary key, in its order.
              `SELECT user_id, friend_id FROM friendships
               WHERE user_id IN (?) AND (user_id > ? OR friend_id > ?) ORDER BY user_id, friend_id LIMIT ?`,
              [ids, afterUserId, afterFriendId, limit + 1],
            );
      const { rows, nextCursor } = pageOf('friend ids', found, limit, (row) => [row.user_id, row.friend_id]);
      const friends = Map.groupBy(rows, (row) => String(row.user_id));
      return {
        friends: userIds.map((userId) => ({
          userId,
          friendIds: (friends.get(userId) ?? []).map((row) => String(row.friend_id)),
        })),
        nextCursor,
      };
    },

    async updateFriendRemark({ userId, friendId, remark }) {
      const { affectedRows } = await databases.users.execute(
        'UPDATE friendships SET remark = ? WHERE user_id = ? AND friend_id = ?',
        [remark, parseId(userId) ?? 0, parseId(friendId) ?? 0],
      );
      if (affectedRows > 0) return {};
      const accounts = await databases.users.query(
        `SELECT id FROM users WHERE id = ? AND status = ${accountStatus.active}`,
        [parseId(friendId) ?? 0],
      );
      throw accounts.length === 0 ? userNotFound() : notFriends();
    },

    async deleteFriend({ userId, friendId }) {
      const pair = pairOf(userId, friendId);
      const { standing } = await readPair(databases.users, pair);
      // A repeated call changes nothing.
      if (!standing.friends) {
        await requireActive(databases, pair);
        return {};
      }
      await pairs.closing(pair, sendState.notFriends, async (tx) => {
        const { affectedRows } = await tx.execute(
          'DELETE FROM friendships WHERE (user_id = ? AND friend_id = ?) OR (user_id = ? AND friend_id = ?)',
          [pair.low, pair.high, pair.high, pair.low],
        );
        if (affectedRows === 0) return;
        await writeEvents(tx, [
          domainEvent({ type: 'friend.removed', actor_id: userId, user_id: userId, friend_id: friendId }),
        ]);
      });
      outbox.wake();
      return {};
    },

    async getRelationships({ userId, otherUserIds }) {
      if (otherUserIds.length > limits.usersPerCall) {
        throw new GoChatError('INVALID_ARGUMENT', `At most ${limits.usersPerCall} users.`);
      }
      const id = parseId(userId) ?? 0;
      const others = otherUserIds.map(parseId).filter((other) => other !== undefined);
      if (others.length === 0) return { relationships: otherUserIds.map(stranger) };
      const ask = async (sql: string, values: readonly (number | number[])[]) => {
        const rows = await databases.users.query<{ id: number }>(sql, values);
        return new Set(rows.map((row) => String(row.id)));
      };
      const [existing, friends, blockers, blocked] = await Promise.all([
        ask(`SELECT id FROM users WHERE id IN (?) AND status = ${accountStatus.active}`, [others]),
        ask('SELECT friend_id AS id FROM friendships WHERE user_id = ? AND friend_id IN (?)', [id, others]),
        ask('SELECT user_id AS id FROM user_blocks WHERE blocked_id = ? AND user_id IN (?)', [id, others]),
        ask('SELECT blocked_id AS id FROM user_blocks WHERE user_id = ? AND blocked_id IN (?)', [id, others]),
      ]);
      return {
        relationships: otherUserIds.map((other) => ({
          userId: other,
          exists: existing.has(other),
          friends: friends.has(other),
          blockedBy: blockers.has(other),
          blocking: blocked.has(other),
        })),
      };
    },
  };
}

/** Throws USER_NOT_FOUND unless both accounts are active. */
async function requireActive(databases: Databases, { low, high }: Pair): Promise<void> {
  const found = await databases.users.query(
    `SELECT 1 FROM users WHERE id IN (?) AND status = ${accountStatus.active}`,
    [[low, high]],
  );
  if (found.length < 2) throw userNotFound();
}

const notFriends = () => new GoChatError('NOT_FRIENDS', 'The two users are not friends.');

const stranger = (userId: string) => ({
  userId,
  exists: false,
  friends: false,
  blockedBy: false,
  blocking: false,
});

/** Returns the ids of the single conversations with these users, by user id. */
async function singleConversations(
  databases: Databases,
  userId: string,
  otherIds: string[],
): Promise<Map<string, string>> {
  const pairs = otherIds.map((other) => pairOf(userId, other)).map(({ low, high }) => [low, high]);
  const rows = await databases.users.query<{ low_id: number; high_id: number; conversation_id: number }>(
    // Index: the primary key of pairs.
    `SELECT p.low_id, p.high_id, p.conversation_id FROM ${rowsTable(['low', 'high'], pairs)} k
     STRAIGHT_JOIN pairs p ON p.low_id = k.low AND p.high_id = k.high
     WHERE p.conversation_id IS NOT NULL`,
  );
  return new Map(
    rows.map((row) => [
      String(row.low_id === Number(userId) ? row.high_id : row.low_id),
      String(row.conversation_id),
    ]),
  );
}
