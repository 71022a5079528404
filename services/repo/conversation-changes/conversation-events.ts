import type { ConversationFacts, MemberFacts } from '../../../lib/kafka/records.ts';
import { chunks } from '../cache/cache.ts';
import { domainEvent, type OutboxEvent, orderedEvent } from '../outbox/outbox.ts';
import type { LockedConversation } from './conversation-lock.ts';

/** What happens to conversations, each told twice: to anyone who listens, and in order to its members. */

/** The first time that its members hear of a conversation; a retry tells it under the same id. */
export const conversationCreated = (
  { id, type }: { id: number; type: number },
  actorId: string,
  memberIds: readonly number[],
  /** Whose acceptance created it. */
  friendRequestId = '',
): OutboxEvent[] => [
  domainEvent({
    type: 'conversation.created',
    event_id: createdEventId(id),
    actor_id: actorId,
    conversation_id: String(id),
    conversation_type: type,
    member_ids: memberIds.map(String),
    ...(friendRequestId === '' ? {} : { friend_request_id: friendRequestId }),
  }),
];

export const createdEventId = (conversationId: number): string => `conversation.created/${conversationId}`;

/** `conversation` is the row as it is from now on. */
export function conversationUpdated(conversation: LockedConversation, actorId: string): OutboxEvent[] {
  const about = {
    type: 'conversation.updated',
    actor_id: actorId,
    conversation_id: String(conversation.id),
  } as const;
  return [
    domainEvent(about),
    orderedEvent({ ...about, conversation: factsOf(conversation), extra_user_ids: [] }),
  ];
}

const factsOf = (row: LockedConversation): ConversationFacts => ({
  type: row.type,
  name: row.name,
  avatar_url: row.avatar_url,
  description: row.description,
  announcement: row.announcement,
  owner_id: row.owner_id === 0 ? '' : String(row.owner_id),
  member_count: row.member_count,
  last_seq_id: row.last_seq_id,
  invite_by: row.invite_by,
  mute_all: row.mute_all === 1,
  max_members: row.max_members,
  created_at: row.created_at,
  updated_at: row.updated_at,
});

/** The former members are named, since the conversation has none any more. */
export const conversationDissolved = (
  id: number,
  actorId: string,
  formerMemberIds: readonly number[],
): OutboxEvent[] => [
  domainEvent({ type: 'conversation.dissolved', actor_id: actorId, conversation_id: String(id) }),
  ...chunks(formerMemberIds, maxUsersPerEvent).map((userIds) =>
    orderedEvent({
      type: 'conversation.dissolved',
      actor_id: actorId,
      conversation_id: String(id),
      extra_user_ids: userIds.map(String),
    }),
  ),
];

export const membersAdded = (id: number, actorId: string, members: readonly MemberFacts[]): OutboxEvent[] => [
  domainEvent({
    type: 'conversation.member.added',
    actor_id: actorId,
    conversation_id: String(id),
    user_ids: members.map((member) => member.user_id),
  }),
  ...chunks(members, maxMembersPerEvent(members)).map((some) =>
    orderedEvent({
      type: 'conversation.member.added',
      actor_id: actorId,
      conversation_id: String(id),
      members: some,
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
  const about = {
    type: 'conversation.member.removed',
    actor_id: actorId,
    conversation_id: String(id),
    user_ids: removedIds.map(String),
  } as const;
  return [domainEvent(about), orderedEvent({ ...about, extra_user_ids: about.user_ids, last_seq_id })];
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
const maxUsersPerEvent = 5000;
const eventBytes = 256 * 1024;

/** As many members as fit into an event if all were as large as the largest. */
function maxMembersPerEvent(members: readonly MemberFacts[]): number {
  const largest = Math.max(1, ...members.map((member) => Buffer.byteLength(JSON.stringify(member))));
  return Math.max(1, Math.floor(eventBytes / largest));
}
