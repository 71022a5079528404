import {
  conversationStatus,
  conversationType,
  friendRequestStatus,
  inviters,
  memberRole,
  type SendState,
  sendState,
} from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { CreateConversationRequest } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { Cache, Change } from '../cache/cache.ts';
import { conversationCreated, createdEventId } from '../conversation-changes/conversation-events.ts';
import { insertMembers, memberKeys } from '../conversation-changes/member-rows.ts';
import {
  lockPair,
  type Pair,
  pairOf,
  readPair,
  type Standing,
  standingStatements,
  toStanding,
} from '../friends/friendship-pair.ts';
import { createPairSettling, pairProjection } from '../friends/pair-changes.ts';
import { gateStatements } from '../friends/send-gate.ts';
import { domainEvent, insertEvents, type Outbox, type OutboxEvent } from '../outbox/outbox.ts';
import {
  forgetProjection,
  noteProjection,
  type Pending,
  pendingProjection,
} from '../projections/projections.ts';
import { formatSql, type Transaction } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';

/**
 * Opens the conversation of two friends. The first call creates it; later calls return the same one, and make it
 * writable again if the two became friends again. The directory gives the pair its conversation's id, the pair takes it,
 * and then the conversation is made: whoever repeats a call that died in between goes on where it ended.
 * Throws INVALID_ARGUMENT, BLOCKED, NOT_FRIENDS or REQUEST_NOT_FOUND.
 */
export function createSingleConversation(deps: {
  databases: Databases;
  cache: Cache;
  ids: Pick<Ids, 'nextId'>;
  outbox: Outbox;
}) {
  const { databases, cache, ids, outbox } = deps;

  const settle = createPairSettling(deps);

  /** The id that the pair's conversation has or will have: the directory gives each pair one. */
  async function reserveId(pair: Pair): Promise<number> {
    const [, rows] = await databases.directory.transaction((tx) =>
      tx.batchAndCommit(
        [
          formatSql(
            `INSERT INTO single_conversations (single_key, conversation_id) VALUES (?, ?)
             ON DUPLICATE KEY UPDATE single_key = single_key`,
            [pair.key, ids.nextId()],
          ),
          formatSql('SELECT conversation_id AS id FROM single_conversations WHERE single_key = ?', [
            pair.key,
          ]),
        ].join(';\n'),
      ),
    );
    const [row] = rows as { id: number }[];
    if (!row) throw new Error('the reserved id disappeared within its transaction');
    return row.id;
  }

  /**
   * Tells the pair which conversation is its own, unless it has one. From here on, whatever closes the pair closes the
   * conversation. Returns undefined if the pair has none and no id is given.
   */
  function join(pair: Pair, friendRequestId: string, reservedId?: number): Promise<Joined | undefined> {
    const pending = pendingProjection(pairProjection, pair.key);
    return databases.users.transaction(async (tx) => {
      const { version, conversationId, results } = await lockPair(tx, pair, {
        also: [...standingStatements(pair), selectAccepted(friendRequestId, pair)],
      });
      requireOpen(toStanding(results));
      const request = toAccepted(friendRequestId, results.at(-1));
      if (conversationId !== undefined) return { conversationId, version, request, pending: undefined };
      if (reservedId === undefined) return undefined;
      await tx.batchAndCommit(
        [
          `UPDATE pairs SET version = version + 1, conversation_id = ${reservedId}
           WHERE low_id = ${pair.low} AND high_id = ${pair.high}`,
          noteProjection(pending),
        ].join(';\n'),
      );
      return { conversationId: reservedId, version: version + 1, request, pending };
    });
  }

  return async (
    request: CreateConversationRequest,
  ): Promise<{ conversationId: number; created: boolean }> => {
    const [peerId, ...others] = new Set(request.initialMemberIds.filter((id) => id !== request.creatorId));
    if (peerId === undefined || others.length > 0) {
      throw invalid('initial_member_ids', 'must name exactly one other user');
    }
    const pair = pairOf(request.creatorId, peerId);
    const known = await readPair(databases.users, pair);
    const isNew = known.conversationId === undefined && known.standing.friends;
    const joined =
      (await join(pair, request.friendRequestId, isNew ? await reserveId(pair) : undefined)) ??
      (await join(pair, request.friendRequestId, await reserveId(pair)));
    if (!joined) throw new Error('the pair took no conversation');
    const { conversationId, pending } = joined;
    const { created, isClosed } = await cache.change((touch) =>
      databases.messagesOf(conversationId).transaction((tx) => open(tx, touch, pair, joined, request)),
    );
    // A change of the pair closed the conversation meanwhile. If that change fails, this opens it again.
    if (isClosed) await settle(pair.key);
    if (pending) await databases.users.execute(forgetProjection(pending));
    outbox.wake();
    return { conversationId, created };
  };
}

type Joined = {
  conversationId: number;
  /** The version of the pair that this is about. */
  version: number;
  request: AcceptedRequest | undefined;
  pending: Pending | undefined;
};

/** Throws BLOCKED or NOT_FRIENDS unless the two may talk. */
function requireOpen({ friends, lowBlocksHigh, highBlocksLow }: Standing): void {
  if (lowBlocksHigh || highBlocksLow) throw new GoChatError('BLOCKED', 'One of the two blocked the other.');
  if (!friends) throw new GoChatError('NOT_FRIENDS', 'The two are not friends.');
}

/**
 * Creates the conversation of two friends, or opens the existing one, unless a newer version of the pair closed it
 * (`isClosed`).
 */
async function open(
  tx: Transaction,
  touch: Change['touch'],
  pair: Pair,
  { conversationId: id, version, request: accepted }: Joined,
  request: CreateConversationRequest,
): Promise<{ created: boolean; isClosed: boolean }> {
  const [, heads, rows] = (await tx.batch(
    [
      // Takes the lock of the head, which a change that closes the pair may have made already.
      `INSERT INTO conversation_heads (conversation_id) VALUES (${id})
       ON DUPLICATE KEY UPDATE conversation_id = conversation_id`,
      `SELECT send_state_version AS version FROM conversation_heads WHERE conversation_id = ${id} FOR UPDATE`,
      `SELECT 1 FROM conversations WHERE id = ${id}`,
    ].join(';\n'),
  )) as [unknown, { version: number }[], unknown[]];
  const created = rows.length === 0;
  const isClosed = (heads[0]?.version ?? 0) > version;
  const events = accepted ? [requestAccepted(accepted, id, created)] : [];
  if (created) {
    const single = { id, type: conversationType.single };
    const members = [pair.low, pair.high];
    events.push(...conversationCreated(single, request.creatorId, members, request.friendRequestId));
    await touch(memberKeys(members));
  }
  const statements = [
    ...(created ? insertStatements(id, pair, isClosed ? sendState.notFriends : sendState.open) : []),
    ...(isClosed ? [] : gateStatements({ conversationId: id, state: sendState.open, version })),
    ...(events.length > 0 ? [insertEvents(events)] : []),
  ];
  if (statements.length > 0) await tx.batchAndCommit(statements.join(';\n'));
  return { created, isClosed };
}

function insertStatements(id: number, pair: Pair, state: SendState): string[] {
  const now = Date.now();
  const { single } = conversationType;
  const { active } = conversationStatus;
  const members = [pair.low, pair.high].map((userId) => ({ userId, role: memberRole.member }));
  return [
    formatSql(
      `INSERT INTO conversations (id, type, status, name, avatar_url, description, announcement, owner_id,
         member_count, invite_by, mute_all, max_members, send_state, single_key, created_at, updated_at)
       VALUES (?)`,
      [[id, single, active, '', '', '', '', 0, 2, inviters.admins, false, 2, state, pair.key, now, now]],
    ),
    ...insertMembers(id, members, 0, now),
  ];
}

type AcceptedRequest = { id: string; requester_id: number; target_id: number };

const selectAccepted = (requestId: string, pair: Pair): string =>
  formatSql(
    'SELECT requester_id, target_id FROM friendship_requests WHERE id = ? AND pair_key = ? AND status = ?',
    [parseId(requestId) ?? 0, pair.key, friendRequestStatus.accepted],
  );

/** The accepted friend request of an id; undefined for no id. Throws REQUEST_NOT_FOUND. */
function toAccepted(requestId: string, found: unknown): AcceptedRequest | undefined {
  if (requestId === '') return undefined;
  const [request] = found as Omit<AcceptedRequest, 'id'>[];
  if (!request) throw new GoChatError('REQUEST_NOT_FOUND', 'There is no such accepted friend request.');
  return { id: requestId, ...request };
}

/** The event that a friend request was accepted, with its conversation. A retry writes it under the same event id. */
const requestAccepted = (
  { id, requester_id, target_id }: AcceptedRequest,
  conversationId: number,
  isCreated: boolean,
): OutboxEvent =>
  domainEvent({
    type: 'friend.request.accepted',
    event_id: `friend.request.accepted/${id}`,
    actor_id: String(target_id),
    request_id: id,
    requester_id: String(requester_id),
    target_id: String(target_id),
    conversation_id: String(conversationId),
    ...(isCreated ? { created_event_id: createdEventId(conversationId) } : {}),
  });
