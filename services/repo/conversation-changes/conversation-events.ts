import { chunks } from '../../../lib/chunks.ts';
import type { ConversationFacts, MemberFacts } from '../../../lib/records/records.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { domainEvent, type OutboxEvent, orderedEvent } from '../outbox/outbox.ts';
import type { LockedConversation } from './conversation-lock.ts';

/**
 * Events about conversations. Most are written twice: as a domain event for any consumer, and as an ordered event that
 * the conversation's members get in the order of its messages.
 */

/** Announces a new conversation to its members. A retry writes the same event id, so that consumers drop duplicates. */
export const conversationCreated = (
  { id, type }: { id: number; type: number },
  actorId: string,
  memberIds: readonly number[],
  /** The friend request whose acceptance created the conversation; empty if there is none. */
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

/** `conversation` is the row after the change. */
export function conversationUpdated(
  conversation: LockedConversation,
  actorId: string,
  links: FileLinks,
): OutboxEvent[] {
  const about = {
    type: 'conversation.updated',
    actor_id: actorId,
    conversation_id: String(conversation.id),
  } as const;
  return [
    domainEvent(about),
    orderedEvent({ ...about, conversation: factsOf(conversation, links), extra_user_ids: [] }),
  ];
}

const factsOf = (row: LockedConversation, links: FileLinks): ConversationFacts => ({
  type: row.type,
  name: row.name,
  avatar_url: links.picture(row.avatar_url),
  description: row.description,
  announcement: row.announcement,
  owner_id: row.owner_id === 0 ? '' : String(row.owner_id),
  member_count: row.member_count,
  last_seq_id: row.last_seq_id,
  last_change_seq: row.last_change_seq,
  invite_by: row.invite_by,
  mute_all: row.mute_all === 1,
  max_members: row.max_members,
  created_at: row.created_at,
  updated_at: row.updated_at,
});

/** The ordered events name the former members as recipients, since a dissolved conversation has no members. */
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

/** `conversation` is the locked row: removed members may read up to its `last_seq_id` and nothing after it. */
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

/** A role, mute or personal choice of these members changed. Only these members are sent the updated conversation. */
export const membersUpdated = (id: number, actorId: string, userIds: readonly number[]): OutboxEvent[] => [
  domainEvent({
    type: 'conversation.member.updated',
    actor_id: actorId,
    conversation_id: String(id),
    user_ids: userIds.map(String),
  }),
];

/** The broker accepts records of up to 1 MB; this many ids take about a tenth of it. */
const maxUsersPerEvent = 5000;
const eventBytes = 256 * 1024;

/** The number of members that fit into one event, assuming that each is as large as the largest. */
function maxMembersPerEvent(members: readonly MemberFacts[]): number {
  const largest = Math.max(1, ...members.map((member) => Buffer.byteLength(JSON.stringify(member))));
  return Math.max(1, Math.floor(eventBytes / largest));
}
