import { friendRequestStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { limitOf } from '../../../lib/domain/limits.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import type { FriendshipServiceService } from '../../../lib/gen/im_repo/v1/friendship.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { requireClosed } from '../accounts/user-closing.ts';
import { domainEvent, type Outbox, type OutboxEvent, writeEvents } from '../outbox/outbox.ts';
import { type Databases, formatSql, type Sql } from '../storage/database.ts';
import { sendStateOf } from './friendship-pair.ts';
import { settle } from './friendship-requests.ts';

const pageSize = { usual: 100, most: 500 };

type Handlers = Pick<UnaryHandlers<typeof FriendshipServiceService>, 'endRelationships'>;

/** Ends the friendships, blocks and pending requests of an account that is being erased. */
export function createRelationshipsEnd(deps: { databases: Databases; outbox: Outbox }): Handlers {
  const { databases, outbox } = deps;
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
      await databases.users.transaction((tx) => end(tx, userId, others));
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

/** Takes the locks of all pairs at once and in the usual order: users by id, then heads by id. */
async function end(tx: Sql, userId: number, others: readonly number[]): Promise<void> {
  const users = [userId, ...others].sort((a, b) => a - b);
  const keys = others.map((other) => (other < userId ? `${other}:${userId}` : `${userId}:${other}`));
  const [, conversations] = (await tx.batch(
    [
      formatSql('SELECT id FROM users WHERE id IN (?) ORDER BY id FOR UPDATE', [users]),
      // Index: conversations_single.
      formatSql('SELECT id FROM conversations WHERE single_key IN (?) ORDER BY id', [keys]),
    ].join(';\n'),
  )) as [unknown, { id: number }[]];
  const conversationIds = conversations.map(({ id }) => id);
  if (conversationIds.length > 0) {
    await tx.query(
      'SELECT 1 FROM conversation_heads WHERE conversation_id IN (?) ORDER BY conversation_id FOR UPDATE',
      [conversationIds],
    );
  }
  const events = await endFriendships(tx, userId, others);
  events.push(...(await endBlocks(tx, userId, others)));
  await writeEvents(tx, events);
  await settleRequests(tx, userId, others);
  if (conversationIds.length === 0) return;
  const strangers = sendStateOf({ friends: false, lowBlocksHigh: false, highBlocksLow: false });
  await tx.execute('UPDATE conversations SET send_state = ? WHERE id IN (?)', [strangers, conversationIds]);
}

async function endFriendships(tx: Sql, userId: number, others: readonly number[]): Promise<OutboxEvent[]> {
  const friends = await tx.query<{ friend_id: number }>(
    'SELECT friend_id FROM friendships WHERE user_id = ? AND friend_id IN (?)',
    [userId, others],
  );
  await tx.batch(
    [
      formatSql('DELETE FROM friendships WHERE user_id = ? AND friend_id IN (?)', [userId, others]),
      formatSql('DELETE FROM friendships WHERE user_id IN (?) AND friend_id = ?', [others, userId]),
    ].join(';\n'),
  );
  const actor = String(userId);
  return friends.map(({ friend_id }) =>
    domainEvent({ type: 'friend.removed', actor_id: actor, user_id: actor, friend_id: String(friend_id) }),
  );
}

async function endBlocks(tx: Sql, userId: number, others: readonly number[]): Promise<OutboxEvent[]> {
  const both = '(user_id = ? AND blocked_id IN (?)) OR (user_id IN (?) AND blocked_id = ?)';
  const values = [userId, others, others, userId];
  const blocks = await tx.query<{ user_id: number; blocked_id: number }>(
    `SELECT user_id, blocked_id FROM user_blocks WHERE ${both}`,
    values,
  );
  if (blocks.length === 0) return [];
  await tx.execute(`DELETE FROM user_blocks WHERE ${both}`, values);
  return blocks.map(({ user_id, blocked_id }) =>
    domainEvent({
      type: 'friend.unblocked',
      actor_id: String(userId),
      user_id: String(user_id),
      friend_id: String(blocked_id),
    }),
  );
}

/** Withdraws the requests that the account sent and rejects those that it received. */
async function settleRequests(tx: Sql, userId: number, others: readonly number[]): Promise<void> {
  const rows = await tx.query<Parameters<typeof settle>[1]>(
    `SELECT id, requester_id, target_id, status, message, created_at, updated_at, expires_at
     FROM friendship_requests
     WHERE status = ? AND ((requester_id = ? AND target_id IN (?)) OR (target_id = ? AND requester_id IN (?)))`,
    [friendRequestStatus.pending, userId, others, userId, others],
  );
  for (const row of rows) {
    const { withdrawn, rejected } = friendRequestStatus;
    await settle(tx, row, row.requester_id === userId ? withdrawn : rejected, String(userId));
  }
}
