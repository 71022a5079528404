import { friendRequestStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { pageOf, readPaging } from '../../../lib/domain/paging.ts';
import { friendRequestNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { FriendRequest, FriendshipServiceService } from '../../../lib/gen/im_repo/v1/friendship.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Logger } from '../../../lib/log.ts';
import { readFlowTexts } from '../once/flow-texts.ts';
import { domainEvent, type Outbox, writeEvents } from '../outbox/outbox.ts';
import { cardOf, type UserCards } from '../rows/user-cards.ts';
import { formatSql, type Sql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';
import type { Prisma } from '../storage/prisma.ts';
import { lockPair, type Pair, pairOf, standingStatements, toStanding } from './friendship-pair.ts';
import { createPairChanges } from './pair-changes.ts';

type Handlers = Pick<
  UnaryHandlers<typeof FriendshipServiceService>,
  'createFriendRequest' | 'updateFriendRequest' | 'getFriendRequest' | 'listFriendRequests'
>;

type RequestRow = {
  id: number;
  requester_id: number;
  target_id: number;
  status: number;
  message: string;
  created_at: number;
  updated_at: number;
  expires_at: number;
};

type Decided = { row: RequestRow; outcome: 'same' | 'handled' | 'changed' };

const columns = 'id, requester_id, target_id, status, message, created_at, updated_at, expires_at';

/**
 * Serves friend requests. Every change happens under the lock of the pair, so that only one of two concurrent decisions
 * wins. An overdue pending request counts as expired, even before it is marked so.
 */
export function createFriendRequests(deps: {
  databases: Databases;
  ids: Ids;
  prisma: Prisma;
  userCards: UserCards;
  outbox: Outbox;
  log: Logger;
}): Handlers {
  const { databases, ids, prisma, userCards, outbox } = deps;
  const pairs = createPairChanges(deps);

  async function toRequests(rows: RequestRow[]): Promise<FriendRequest[]> {
    const users = await userCards.byIds(
      rows.flatMap((row) => [String(row.requester_id), String(row.target_id)]),
    );
    const now = Date.now();
    return rows.map((row) => ({
      id: String(row.id),
      requester: cardOf(users, String(row.requester_id)),
      target: cardOf(users, String(row.target_id)),
      status: isOverdue(row, now) ? friendRequestStatus.expired : row.status,
      message: row.message,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      expiresAt: row.expires_at,
    }));
  }

  async function toRequest(row: RequestRow): Promise<FriendRequest> {
    const [request] = await toRequests([row]);
    if (!request) throw friendRequestNotFound();
    return request;
  }

  return {
    async createFriendRequest({ requesterId, targetId, message: given, ttlMs, cooldownMs = 0, textsId }) {
      if (requesterId === targetId) {
        throw new GoChatError('INVALID_ARGUMENT', 'You cannot send yourself a friend request.', [
          { path: 'targetUserId', message: 'must name another user' },
        ]);
      }
      const pair = pairOf(requesterId, targetId);
      const message = textsId
        ? ((await readFlowTexts(databases.users, textsId, Number(requesterId))).message ?? '')
        : given;
      const { row, created } = await databases.users.transaction(async (tx) => {
        const { results } = await lockPair(tx, pair, {
          also: [...standingStatements(pair), selectPending(pair)],
        });
        const { friends, lowBlocksHigh, highBlocksLow } = toStanding(results);
        if (lowBlocksHigh || highBlocksLow) {
          throw new GoChatError('BLOCKED', 'One of the two users has blocked the other.');
        }
        if (friends) throw new GoChatError('ALREADY_FRIENDS', 'The two users are already friends.');
        const [pending] = results.at(-1) as RequestRow[];
        const now = Date.now();
        if (pending && !isOverdue(pending, now)) return { row: pending, created: false };
        if (cooldownMs > 0) await refuseSoonAfterRejection(tx, pair, Number(requesterId), cooldownMs, now);
        if (pending) await settle(tx, pending, friendRequestStatus.expired, '');

        const fresh: RequestRow = {
          id: ids.nextId(),
          requester_id: Number(requesterId),
          target_id: Number(targetId),
          status: friendRequestStatus.pending,
          message,
          created_at: now,
          updated_at: now,
          expires_at: now + ttlMs,
        };
        await tx.execute(`INSERT INTO friendship_requests (${columns}, pair_key, pending_key) VALUES (?)`, [
          [
            fresh.id,
            fresh.requester_id,
            fresh.target_id,
            fresh.status,
            message,
            now,
            now,
            fresh.expires_at,
            pair.key,
            pair.key,
          ],
        ]);
        await writeEvents(tx, [requestEvent('friend.request.created', fresh, requesterId)]);
        return { row: fresh, created: true };
      });
      outbox.wake();
      return { request: await toRequest(row), created };
    },

    async updateFriendRequest({ requestId, actorId, status }) {
      const decision = decisionOf(status);
      const before = await readRequest(databases.users, parseId(requestId) ?? 0);
      if (!before) throw friendRequestNotFound();
      const decider = { target: before.target_id, requester: before.requester_id, nobody: '' }[decision.by];
      if (actorId !== String(decider)) {
        throw new GoChatError('PERMISSION_DENIED', `Only the ${decision.by} may do this.`);
      }

      const pair = pairOf(String(before.requester_id), String(before.target_id));
      const { row, outcome } = await pairs.opening(pair, async (tx) => {
        const unchanged = (result: Decided) => ({ changed: false, result });
        const current = (await readRequest(tx, before.id)) ?? before;
        if (current.status === status) return unchanged({ row: current, outcome: 'same' });
        if (current.status !== friendRequestStatus.pending)
          return unchanged({ row: current, outcome: 'handled' });
        if (status !== friendRequestStatus.expired && isOverdue(current, Date.now())) {
          const expired = await settle(tx, current, friendRequestStatus.expired, '');
          return unchanged({ row: expired, outcome: 'handled' });
        }
        const changed = status === friendRequestStatus.accepted;
        if (changed) await befriend(tx, pair);
        const result: Decided = { row: await settle(tx, current, status, actorId), outcome: 'changed' };
        return { changed, result };
      });
      outbox.wake();
      if (outcome === 'handled') {
        throw new GoChatError('REQUEST_ALREADY_HANDLED', 'This friend request has already been handled.');
      }
      return { request: await toRequest(row), changed: outcome === 'changed' };
    },

    async getFriendRequest({ requestId, userId, otherUserId }) {
      const row =
        requestId === ''
          ? await readLatest(databases.users, pairOf(userId, otherUserId))
          : await readRequest(databases.users, parseId(requestId) ?? 0);
      if (!row) throw friendRequestNotFound();
      return { request: await toRequest(row) };
    },

    async listFriendRequests(request) {
      const { outgoing, status } = request;
      const { limit, offset, after } = readPaging('friend requests', request);
      const id = parseId(request.userId);
      if (!id) return { requests: [] };
      const found = await prisma.read((client) =>
        // Indexes: friendship_requests_target_id and friendship_requests_requester_id; with a status,
        // friendship_requests_target and friendship_requests_requester. All are in the order of ids, like the cursor.
        client.friendshipRequest.findMany({
          where: {
            ...(outgoing ? { requesterId: id } : { targetId: id }),
            ...withStatus(status, Date.now()),
            ...(after ? { id: { lt: after[0] } } : {}),
          },
          orderBy: { id: 'desc' },
          take: limit + 1,
          skip: offset,
        }),
      );
      const page = pageOf('friend requests', found, limit, (row) => [Number(row.id)]);
      const rows = page.rows.map((row) => ({
        id: Number(row.id),
        requester_id: Number(row.requesterId),
        target_id: Number(row.targetId),
        status: row.status,
        message: row.message,
        created_at: Number(row.createdAt),
        updated_at: Number(row.updatedAt),
        expires_at: Number(row.expiresAt),
      }));
      return { requests: await toRequests(rows), nextCursor: page.nextCursor };
    },
  };
}

const isOverdue = (row: { status: number; expires_at: number }, now: number): boolean =>
  row.status === friendRequestStatus.pending && row.expires_at <= now;

/** The filter for a status at the time `now`: overdue pending requests count as expired. */
function withStatus(status: number | undefined, now: number) {
  if (status === undefined) return {};
  if (status === friendRequestStatus.pending) return { status, expiresAt: { gt: now } };
  if (status === friendRequestStatus.expired) {
    return { OR: [{ status }, { status: friendRequestStatus.pending, expiresAt: { lte: now } }] };
  }
  return { status };
}

function decisionOf(status: number): { by: 'target' | 'requester' | 'nobody' } {
  switch (status) {
    case friendRequestStatus.accepted:
    case friendRequestStatus.rejected:
      return { by: 'target' };
    case friendRequestStatus.withdrawn:
      return { by: 'requester' };
    case friendRequestStatus.expired:
      return { by: 'nobody' };
    default:
      throw new GoChatError(
        'INVALID_ARGUMENT',
        'The new status must be accepted, rejected, expired or withdrawn.',
      );
  }
}

async function readRequest(sql: Sql, id: number): Promise<RequestRow | undefined> {
  const [row] = await sql.query<RequestRow>(`SELECT ${columns} FROM friendship_requests WHERE id = ?`, [id]);
  return row;
}

const selectPending = (pair: Pair): string =>
  formatSql(`SELECT ${columns} FROM friendship_requests WHERE pending_key = ?`, [pair.key]);

async function readLatest(sql: Sql, pair: Pair): Promise<RequestRow | undefined> {
  const [row] = await sql.query<RequestRow>(
    // Index: friendship_requests_pair.
    `SELECT ${columns} FROM friendship_requests WHERE pair_key = ? ORDER BY id DESC LIMIT 1`,
    [pair.key],
  );
  return row;
}

/** Throws RATE_LIMITED if the requester was rejected within the cooldown, unless the two have become friends since. */
async function refuseSoonAfterRejection(
  tx: Sql,
  pair: Pair,
  requesterId: number,
  cooldownMs: number,
  now: number,
): Promise<void> {
  const latest = (status: number, whose: string) =>
    formatSql(
      // Index: friendship_requests_pair_status.
      `SELECT updated_at FROM friendship_requests WHERE pair_key = ? AND status = ? ${whose} ORDER BY id DESC LIMIT 1`,
      [pair.key, status],
    );
  const [rejections, acceptances] = (await tx.batch(
    [
      latest(friendRequestStatus.rejected, formatSql('AND requester_id = ?', [requesterId])),
      latest(friendRequestStatus.accepted, ''),
    ].join(';\n'),
  )) as { updated_at: number }[][];
  const rejectedAt = rejections?.[0]?.updated_at ?? 0;
  const waitMs = rejectedAt + cooldownMs - now;
  if (waitMs <= 0 || (acceptances?.[0]?.updated_at ?? 0) > rejectedAt) return;
  throw new GoChatError('RATE_LIMITED', 'Your last request was rejected. Ask again later.', [], waitMs);
}

const settledEvents = {
  [friendRequestStatus.rejected]: 'friend.request.rejected',
  [friendRequestStatus.expired]: 'friend.request.expired',
  [friendRequestStatus.withdrawn]: 'friend.request.withdrawn',
} as const;

/**
 * Moves a pending request to a final status and writes the event. Two statuses have no event here: the step that
 * creates the conversation writes the event of an acceptance, which names the conversation; a block has its own event.
 */
export async function settle(tx: Sql, row: RequestRow, status: number, actorId: string): Promise<RequestRow> {
  const now = Date.now();
  await tx.execute(
    `UPDATE friendship_requests SET status = ?, pending_key = NULL, updated_at = ?
     WHERE id = ? AND status = ${friendRequestStatus.pending}`,
    [status, now, row.id],
  );
  const type = settledEvents[status as keyof typeof settledEvents];
  if (type) await writeEvents(tx, [requestEvent(type, row, actorId)]);
  return { ...row, status, updated_at: now };
}

/** Ends the pending request of a pair because of a block, without an event. */
export async function settleBlocked(tx: Sql, pair: Pair): Promise<void> {
  const [pending] = await tx.query<RequestRow>(selectPending(pair));
  if (pending) await settle(tx, pending, friendRequestStatus.blocked, '');
}

const requestEvent = (
  type: (typeof settledEvents)[keyof typeof settledEvents] | 'friend.request.created',
  row: RequestRow,
  actorId: string,
) =>
  domainEvent({
    type,
    actor_id: actorId,
    request_id: String(row.id),
    requester_id: String(row.requester_id),
    target_id: String(row.target_id),
  });

async function befriend(tx: Sql, pair: Pair): Promise<void> {
  const now = Date.now();
  await tx.execute(
    'INSERT INTO friendships (user_id, friend_id, remark, created_at) VALUES ? ON DUPLICATE KEY UPDATE user_id = user_id',
    [
      [
        [pair.low, pair.high, '', now],
        [pair.high, pair.low, '', now],
      ],
    ],
  );
}
