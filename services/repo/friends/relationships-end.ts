import { friendRequestStatus, sendState } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { limitOf } from '../../../lib/domain/limits.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import type { FriendshipServiceService } from '../../../lib/gen/im_repo/v1/friendship.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Logger } from '../../../lib/log.ts';
import { requireClosed } from '../accounts/user-closing.ts';
import { domainEvent, type Outbox, writeEvents } from '../outbox/outbox.ts';
import { formatSql, type Sql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { pairOf } from './friendship-pair.ts';
import { settle } from './friendship-requests.ts';
import { createPairChanges } from './pair-changes.ts';

const pageSize = { usual: 100, most: 500 };

type Handlers = Pick<UnaryHandlers<typeof FriendshipServiceService>, 'endRelationships'>;

/** Ends the friendships, blocks and pending requests of an account that is being erased. */
export function createRelationshipsEnd(deps: {
  databases: Databases;
  outbox: Outbox;
  log: Logger;
}): Handlers {
  const { databases, outbox } = deps;
  const pairs = createPairChanges(deps);
  return {
    async endRelationships(request) {
      const userId = parseId(request.userId);
      if (userId === undefined) throw userNotFound();
      const limit = limitOf(request.limit, pageSize);
      await requireClosed(databases.users, userId);
      // A closed account gets no new relationships, so this query finds all that remain.
      const found = await readOthers(databases.users, userId, limit + 1);
      const others = found.slice(0, limit);
      if (others.length === 0) return { ended: 0, more: false };
      for (const other of others) {
        const pair = pairOf(String(userId), String(other));
        await pairs.closing(pair, sendState.notFriends, (tx) => end(tx, userId, other), { evenClosed: true });
      }
      outbox.wake();
      return { ended: others.length, more: found.length > limit };
    },
  };
}

/** Returns users with whom a relationship exists, in no particular order. */
async function readOthers(sql: Sql, userId: number, limit: number): Promise<number[]> {
  const pending = friendRequestStatus.pending;
  const parts = [
    `SELECT friend_id AS other FROM friendships WHERE user_id = ${userId}`,
    `SELECT blocked_id FROM user_blocks WHERE user_id = ${userId}`,
    // Index: user_blocks_blocked.
    `SELECT user_id FROM user_blocks WHERE blocked_id = ${userId}`,
    // Indexes: friendship_requests_requester and friendship_requests_target.
    `SELECT target_id FROM friendship_requests WHERE requester_id = ${userId} AND status = ${pending}`,
    `SELECT requester_id FROM friendship_requests WHERE target_id = ${userId} AND status = ${pending}`,
  ];
  const rows = await sql.query<{ other: number }>(
    `${parts.map((part) => `(${part} LIMIT ${limit})`).join(' UNION ')} LIMIT ${limit}`,
  );
  return rows.map(({ other }) => other);
}

/** Ends everything between the account that is being erased and another one. */
async function end(tx: Sql, userId: number, other: number): Promise<void> {
  const pair = [userId, other, other, userId];
  const [friends, blocks, requests] = (await tx.batch(
    [
      formatSql('SELECT 1 FROM friendships WHERE user_id = ? AND friend_id = ?', [userId, other]),
      formatSql(
        `SELECT user_id, blocked_id FROM user_blocks WHERE ${eitherWay('user_id', 'blocked_id')}`,
        pair,
      ),
      formatSql(
        `SELECT id, requester_id, target_id, status, message, created_at, updated_at, expires_at
         FROM friendship_requests WHERE status = ? AND (${eitherWay('requester_id', 'target_id')})`,
        [friendRequestStatus.pending, ...pair],
      ),
      formatSql(`DELETE FROM friendships WHERE ${eitherWay('user_id', 'friend_id')}`, pair),
      formatSql(`DELETE FROM user_blocks WHERE ${eitherWay('user_id', 'blocked_id')}`, pair),
    ].join(';\n'),
  )) as [unknown[], { user_id: number; blocked_id: number }[], Parameters<typeof settle>[1][]];
  const actor = String(userId);
  await writeEvents(tx, [
    ...friends.map(() =>
      domainEvent({ type: 'friend.removed', actor_id: actor, user_id: actor, friend_id: String(other) }),
    ),
    ...blocks.map(({ user_id, blocked_id }) =>
      domainEvent({
        type: 'friend.unblocked',
        actor_id: actor,
        user_id: String(user_id),
        friend_id: String(blocked_id),
      }),
    ),
  ]);
  // Requests that the account sent are withdrawn, and those that it received are rejected.
  for (const row of requests) {
    const { withdrawn, rejected } = friendRequestStatus;
    await settle(tx, row, row.requester_id === userId ? withdrawn : rejected, actor);
  }
}

const eitherWay = (a: string, b: string): string => `(${a} = ? AND ${b} = ?) OR (${a} = ? AND ${b} = ?)`;
