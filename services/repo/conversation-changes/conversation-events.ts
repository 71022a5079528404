import type { Member } from '../../../lib/wire/conversation.ts';
import { chunks } from '../cache/cache.ts';
import { domainEvent, type OutboxEvent, orderedEvent } from '../outbox/outbox.ts';
import { toSharedConversation } from '../rows/conversation-row.ts';
import type { LockedConversation } from './conversation-lock.ts';

/** What happens to conversations, each told twice: to anyone who listens, and in order to its members. */

/** The first time that its members hear of a conversation; a retry tells it under the same id. */
export const conversationCreated = (
  { id, type }: { id: number; type: number },
  actorId: string,
  memberIds: readonly number[],
): OutboxEvent[] => [
  domainEvent({
    type: 'conversation.created',
    event_id: `conversation.created/${id}`,
    actor_id: actorId,
    conversation_id: String(id),
    conversation_type: type,
    member_ids: memberIds.map(String),
  }),
];

/** `conversation` is the row as it is from now on. */
export function conversationUpdated(conversation: LockedConversation, actorId: string): OutboxEvent[] {
  const conversationId = String(conversation.id);
  const shared = toSharedConversation(conversation, {
    lastSeqId: conversation.last_seq_id,
    lastMessageId: conversation.last_message_id ?? 0,
    updatedAt: conversation.updated_at,
  });
  return [
    domainEvent({ type: 'conversation.updated', actor_id: actorId, conversation_id: conversationId }),
    orderedEvent({
      conversation_id: conversationId,
      frame: 'conversation-updated',
      data: { conversation: shared },
      extra_user_ids: [],
    }),
  ];
}

/** The former members are named, since the conversation has none any more. */
export const conversationDissolved = (
  id: number,
  actorId: string,
  formerMemberIds: readonly number[],
): OutboxEvent[] => [
  domainEvent({ type: 'conversation.dissolved', actor_id: actorId, conversation_id: String(id) }),
  ...chunks(formerMemberIds, usersAnEvent).map((userIds) =>
    orderedEvent({
      conversation_id: String(id),
      frame: 'conversation-dissolved',
      data: { conversationId: String(id) },
      extra_user_ids: userIds.map(String),
    }),
  ),
];

export const membersAdded = (id: number, actorId: string, members: readonly Member[]): OutboxEvent[] => [
  domainEvent({
    type: 'conversation.member.added',
    actor_id: actorId,
    conversation_id: String(id),
    user_ids: members.map((member) => member.id),
  }),
  ...chunks(members, membersAnEvent(members)).map((some) =>
    orderedEvent({
      conversation_id: String(id),
      frame: 'member-added',
      data: { conversationId: String(id), members: some },
      extra_user_ids: [],
    }),
  ),
];

/** `conversation` is the row as it was locked: what is stored after it is not for those removed. */
export function membersRemoved(
  { id, last_seq_id }: Pick<LockedConversation, 'id' | 'last_seq_id'>,
  actorId: string,
  removedIds: readonly number[],
): OutboxEvent[] {
  const userIds = removedIds.map(String);
  return [
    domainEvent({
      type: 'conversation.member.removed',
      actor_id: actorId,
      conversation_id: String(id),
      user_ids: userIds,
    }),
    orderedEvent({
      conversation_id: String(id),
      frame: 'member-removed',
      data: { conversationId: String(id), userIds, by: actorId },
      extra_user_ids: userIds,
      last_seq_id,
    }),
  ];
}

/** What members are or chose has changed; each of them is shown the conversation anew, and nobody else. */
export const membersUpdated = (id: number, actorId: string, userIds: readonly number[]): OutboxEvent[] => [
  domainEvent({
    type: 'conversation.member.updated',
    actor_id: actorId,
    conversation_id: String(id),
    user_ids: userIds.map(String),
  }),
];

/** The broker takes records of up to 1 MB, and so many ids fill a tenth of it. */
const usersAnEvent = 5000;
const eventBytes = 256 * 1024;

/** As many members as fit into an event if all were as large as the largest. */
function membersAnEvent(members: readonly Member[]): number {
  const largest = Math.max(1, ...members.map((member) => Buffer.byteLength(JSON.stringify(member))));
  return Math.max(1, Math.floor(eventBytes / largest));
}
