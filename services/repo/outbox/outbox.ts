// Room: events that are stored in the transaction of what they tell, and the relay that brings them to Kafka. What
// events mean is for the rooms that write them.

import { randomUUID } from 'node:crypto';
import type { DomainEvent, OrderedEvent, UpstreamEvent } from '../../../lib/kafka/records.ts';
import { topics } from '../../../lib/kafka/topics.ts';
import { formatSql, type Sql } from '../storage/database.ts';

/** What writers know of the relay: told after their commit, it need not wait for its next look at the table. */
export type Outbox = { wake(): void };

/** A record on its way to Kafka. */
export type OutboxEvent = { topic: string; key: string; payload: string };

/** What the caller says of an event; `event_id` only where it has to be the same for the same fact. */
type Fields<E> = E extends DomainEvent
  ? Omit<E, 'event_id' | 'occurred_at'> & { event_id?: string; occurred_at?: number }
  : never;

/** An event for its *-events topic; its key is the id of the entity that it is about. */
export function domainEvent(fields: Fields<DomainEvent>): OutboxEvent {
  const event = { event_id: randomUUID(), occurred_at: Date.now(), ...fields } as DomainEvent;
  const { topic, key } = topicAndKeyOf(event);
  return { topic, key, payload: JSON.stringify(event) };
}

/** What the caller says of one, of each type by itself. */
type OrderedFields<E> = E extends unknown ? Omit<E, 'event_id'> : never;

/** An event that takes the way of its conversation's messages, so that it overtakes none of them. */
export function orderedEvent(event: OrderedFields<OrderedEvent>): OutboxEvent {
  const record: UpstreamEvent = { event: { event_id: randomUUID(), ...event } };
  return { topic: topics.upstream, key: event.conversation_id, payload: JSON.stringify(record) };
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
      return { topic: topics.messageEvents, key: event.conversation_id };
    default:
      return { topic: topics.conversationEvents, key: event.conversation_id };
  }
}

/**
 * Stores events in the transaction that changed the data. They reach Kafka in the order of their rows: for one
 * entity that is the order of its transactions, as long as each holds the entity's row lock by now.
 */
export async function writeEvents(tx: Sql, events: readonly OutboxEvent[]): Promise<void> {
  if (events.length > 0) await tx.batch(insertEvents(events));
}

/** The statement of `writeEvents`, for a batch of statements. */
export function insertEvents(events: readonly OutboxEvent[]): string {
  const now = Date.now();
  return formatSql('INSERT INTO outbox (topic, record_key, payload, created_at) VALUES ?', [
    events.map(({ topic, key, payload }) => [topic, key, payload, now]),
  ]);
}
