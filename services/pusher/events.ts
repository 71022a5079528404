import { LRUCache } from 'lru-cache';
import { GoChatError } from '../../lib/errors.ts';
import type { Push } from '../../lib/gen/im_gateway/v1/pusher.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { ReceivedRecord } from '../../lib/kafka/subscription.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { DomainEvent } from '../../lib/records/records.ts';
import type { Gateways } from './gateways.ts';
import { conversationPushes } from './pushes/conversation-pushes.ts';
import { friendPushes } from './pushes/friend-pushes.ts';
import { messagePushes } from './pushes/message-pushes.ts';
import { type Audience, audienceOf, presencePushes } from './pushes/presence-pushes.ts';

/** Maximum number of event ids that are remembered, to skip duplicate events. */
const maxSeenEvents = 50_000;
/** Maximum number of events that are handled together. */
const chunkSize = 50;

/**
 * Converts domain events to frames for the users whom they concern, and hands the frames to gateways in the order of
 * the events. An event counts as seen when a gateway has accepted its frames, so an outage delays frames but loses
 * none.
 */
export function createEventHandler(deps: { repo: RepoClient; gateways: Gateways; metrics: Metrics }) {
  const { repo, gateways, metrics } = deps;
  const seen = new LRUCache<string, true>({ max: maxSeenEvents });
  const latency = metrics.latency(
    'gochat_push_latency_seconds',
    'Time from an event until a gateway accepted its frames.',
    ['type'],
  );
  const pushed = metrics.counter('gochat_pushes_total', 'Frames handed to gateways, by type.', ['type']);

  return async function handle(records: ReceivedRecord[]): Promise<void> {
    const events = unique(records.map(({ value }) => parseEvent(value))).filter(
      (event) => !seen.has(event.event_id),
    );
    for (let from = 0; from < events.length; from += chunkSize) {
      const chunk = events.slice(from, from + chunkSize);
      const audience = await audienceOf(chunk.filter(isUserEvent), repo);
      const pushes = await Promise.all(chunk.map((event) => pushesOf(event, audience, repo)));
      await gateways.push(pushes.flat());
      for (const { type } of pushes.flat()) pushed.inc({ type });
      for (const { event_id: id, type, occurred_at: occurredAt } of chunk) {
        seen.set(id, true);
        latency.observe({ type }, Math.max(0, Date.now() - occurredAt) / 1000);
      }
    }
  };
}

type UserEvent = Extract<DomainEvent, { type: `user.${string}` }>;

const isUserEvent = (event: DomainEvent): event is UserEvent => event.type.startsWith('user.');

async function pushesOf(event: DomainEvent, audience: Audience, repo: RepoClient): Promise<Push[]> {
  if (isUserEvent(event)) return presencePushes(event, audience);
  switch (event.type) {
    case 'friend.request.created':
    case 'friend.request.accepted':
    case 'friend.request.rejected':
    case 'friend.request.withdrawn':
    case 'friend.request.expired':
      return friendPushes(event, repo);
    case 'conversation.created':
    case 'conversation.member.updated':
      return conversationPushes(event, repo);
    case 'message.read':
      return messagePushes(event);
    default:
      return [];
  }
}

function unique(events: DomainEvent[]): DomainEvent[] {
  return [...new Map(events.map((event) => [event.event_id, event])).values()];
}

function parseEvent(value: unknown): DomainEvent {
  const event = value as Partial<DomainEvent> | null;
  if (typeof event?.event_id !== 'string' || typeof event.type !== 'string') {
    throw new GoChatError('INVALID_ARGUMENT', 'The record is no domain event.');
  }
  return event as DomainEvent;
}
