import {
  conversationStatus,
  conversationType,
  friendRequestStatus,
  inviters,
  memberRole,
} from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { CreateConversationRequest } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { Cache } from '../cache/cache.ts';
import { conversationCreated, createdEventId } from '../conversation-changes/conversation-events.ts';
import { insertMembers, memberKeys } from '../conversation-changes/member-rows.ts';
import {
  lockPair,
  lockSingleConversation,
  type Pair,
  pairOf,
  readStanding,
  storeSendState,
} from '../friends/friendship-pair.ts';
import { domainEvent, insertEvents, type Outbox, type OutboxEvent } from '../outbox/outbox.ts';
import { type Databases, formatSql, type Transaction } from '../storage/database.ts';
import type { Ids } from '../storage/ids.ts';

/**
 * Opens the conversation of two friends. The first call creates it; later calls return the same one, and make it
 * writable again if the two became friends again. Concurrent calls for a pair wait for each other at the pair's lock.
 * Throws INVALID_ARGUMENT, BLOCKED, NOT_FRIENDS or REQUEST_NOT_FOUND.
 */
export function createSingleConversation(deps: {
  databases: Databases;
  cache: Cache;
  ids: Pick<Ids, 'nextId'>;
  outbox: Outbox;
}) {
  const { databases, cache, ids, outbox } = deps;

  return async (
    request: CreateConversationRequest,
  ): Promise<{ conversationId: number; created: boolean }> => {
    const [peerId, ...others] = new Set(request.initialMemberIds.filter((id) => id !== request.creatorId));
    if (peerId === undefined || others.length > 0) {
      throw invalid('initial_member_ids', 'must name exactly one other user');
    }
    const pair = pairOf(request.creatorId, peerId);
    const result = await cache.change((touch) =>
      databases.conversations.transaction(async (tx) => {
        await lockPair(tx, pair);
        const { friends, lowBlocksHigh, highBlocksLow } = await readStanding(tx, pair);
        if (lowBlocksHigh || highBlocksLow)
          throw new GoChatError('BLOCKED', 'One of the two blocked the other.');
        if (!friends) throw new GoChatError('NOT_FRIENDS', 'The two are not friends.');
        const known = await lockSingleConversation(tx, pair);
        const conversationId = known ?? ids.nextId();
        const events = await requestAccepted(
          tx,
          request.friendRequestId,
          pair,
          conversationId,
          known === undefined,
        );
        if (known !== undefined) {
          await storeSendState(tx, pair, known);
        } else {
          await touch(memberKeys([pair.low, pair.high]));
          await insert(tx, conversationId, pair);
          const single = { id: conversationId, type: conversationType.single };
          events.push(
            ...conversationCreated(single, request.creatorId, [pair.low, pair.high], request.friendRequestId),
          );
        }
        if (events.length > 0) await tx.batchAndCommit(insertEvents(events));
        return { conversationId, created: known === undefined };
      }),
    );
    outbox.wake();
    return result;
  };
}

async function insert(tx: Transaction, id: number, pair: Pair): Promise<void> {
  const now = Date.now();
  const { single } = conversationType;
  const members = [pair.low, pair.high].map((userId) => ({ userId, role: memberRole.member }));
  await tx.batch(
    [
      formatSql(
        `INSERT INTO conversations (id, type, status, name, avatar_url, description, announcement, owner_id,
           member_count, invite_by, mute_all, max_members, single_key, created_at, updated_at)
         VALUES (?)`,
        [
          [
            id,
            single,
            conversationStatus.active,
            '',
            '',
            '',
            '',
            0,
            2,
            inviters.admins,
            false,
            2,
            pair.key,
            now,
            now,
          ],
        ],
      ),
      `INSERT INTO conversation_heads (conversation_id) VALUES (${id})`,
      ...insertMembers(id, members, 0, now),
    ].join(';\n'),
  );
}

/** The event that a friend request was accepted, with its conversation. A retry writes it under the same event id. */
async function requestAccepted(
  tx: Transaction,
  requestId: string,
  pair: Pair,
  conversationId: number,
  isCreated: boolean,
): Promise<OutboxEvent[]> {
  if (requestId === '') return [];
  const [request] = await tx.query<{ requester_id: number; target_id: number }>(
    'SELECT requester_id, target_id FROM friendship_requests WHERE id = ? AND pair_key = ? AND status = ?',
    [parseId(requestId) ?? 0, pair.key, friendRequestStatus.accepted],
  );
  if (!request) throw new GoChatError('REQUEST_NOT_FOUND', 'There is no such accepted friend request.');
  return [
    domainEvent({
      type: 'friend.request.accepted',
      event_id: `friend.request.accepted/${requestId}`,
      actor_id: String(request.target_id),
      request_id: requestId,
      requester_id: String(request.requester_id),
      target_id: String(request.target_id),
      conversation_id: String(conversationId),
      ...(isCreated ? { created_event_id: createdEventId(conversationId) } : {}),
    }),
  ];
}
