// Room: the transactional outbox. Events are stored in the transaction of the change that they describe, and a relay
// produces them to Kafka. The rooms that write events define their meaning.

import { randomUUID } from 'node:crypto';
import { topics } from '../../../lib/kafka/topics.ts';
import { storedRecord } from '../../../lib/records/messages-stored.ts';
import type { DomainEvent, OrderedEvent, UpstreamEvent } from '../../../lib/records/records.ts';
import { formatSql, type Sql } from '../storage/database.ts';

/**
 * The relay as writers see it. A writer calls `wake` after its commit, so that the relay does not wait for its next
 * poll.
 */
export type Outbox = { wake(): void };

/** A record on its way to Kafka. */
export type OutboxEvent = { topic: string; key: string; payload: string };

/** The fields that the caller sets. It sets `event_id` only where a repeated call must produce the same event id. */
type Fields<E> = E extends DomainEvent
  ? Omit<E, 'event_id' | 'occurred_at'> & { event_id?: string; occurred_at?: number }
  : never;

/** Creates an event for its *-events topic. The record key is the id of the entity that the event is about. */
export function domainEvent(fields: Fields<DomainEvent>): OutboxEvent {
  const event = { event_id: randomUUID(), occurred_at: Date.now(), ...fields } as DomainEvent;
  const { topic, key } = topicAndKeyOf(event);
  return { topic, key, payload: JSON.stringify(event) };
}

/** The fields that the caller sets. The conditional type keeps the union of event types. */
type OrderedFields<E> = E extends unknown ? Omit<E, 'event_id'> : never;

/** Creates an event for the upstream topic, with the key of its conversation's messages, so that it overtakes none. */
export function orderedEvent(event: OrderedFields<OrderedEvent>): OutboxEvent {
  const record: UpstreamEvent = { event: { event_id: randomUUID(), ...event } };
  return { topic: topics.upstream, key: event.conversation_id, payload: JSON.stringify(record) };
}

/**
 * Creates the events for gochat.messages.stored of messages that came by no upstream record, one per conversation. The
 * process that consumes the upstream topic produces those of all other messages.
 */
export function storedEvents(messages: readonly { conversationId: string; seqId: number }[]): OutboxEvent[] {
  const byConversation = Map.groupBy(messages, ({ conversationId }) => conversationId);
  return [...byConversation].flatMap(([key, some]) => {
    const record = storedRecord(some);
    return record ? [{ topic: topics.messagesStored, key, payload: record.value }] : [];
  });
}

function topicAndKeyOf(event: DomainEvent): { topic: string; key: string } {
  switch (event.type) {
    case 'friend.request.created':
    case 'friend.request.withdrawn':
    case 'friend.request.expired':
    case 'friend.request.rejected':
    case 'friend.request.accepted':
      return { topic: topics.friendEvents, key: event.request_id };
    case 'friend.removed':
    case 'friend.blocked':
    case 'friend.unblocked':
      return { topic: topics.friendEvents, key: event.user_id };
    case 'user.online':
    case 'user.offline':
    case 'user.disconnected':
    case 'user.updated':
    case 'user.erased':
    case 'user.created':
      return { topic: topics.userEvents, key: event.user_id };
    case 'message.read':
    case 'message.recalled':
    case 'message.edited':
    case 'message.reacted':
    case 'message.pinned':
      return { topic: topics.messageEvents, key: event.conversation_id };
    default:
      return { topic: topics.conversationEvents, key: event.conversation_id };
  }
}

/**
 * Stores events in the transaction that changes the data. They reach Kafka in the order of their rows. Per entity this
 * is the order of its transactions, provided that the transaction already holds the entity's row lock.
 */
export async function writeEvents(tx: Sql, events: readonly OutboxEvent[]): Promise<void> {
  if (events.length > 0) await tx.batch(insertEvents(events));
}

/** Returns the statement of `writeEvents` as SQL, for use in a batch. */
export function insertEvents(events: readonly OutboxEvent[]): string {
  const now = Date.now();
  return formatSql('INSERT INTO outbox (topic, record_key, payload, created_at) VALUES ?', [
    events.map(({ topic, key, payload }) => [topic, key, payload, now]),
  ]);
}
