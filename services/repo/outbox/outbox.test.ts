import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topics } from '../../../lib/kafka/topics.ts';
import { domainEvent, orderedEvent } from './outbox.ts';

test('a domain event goes to the topic of its entity, with the id of the entity as key', () => {
  const created = domainEvent({
    type: 'friend.request.created',
    actor_id: '2',
    request_id: '77',
    requester_id: '2',
    target_id: '3',
  });
  assert.deepEqual([created.topic, created.key], [topics.friendEvents, '77']);
  const removed = domainEvent({ type: 'friend.removed', actor_id: '2', user_id: '2', friend_id: '3' });
  assert.deepEqual([removed.topic, removed.key], [topics.friendEvents, '2']);
  const updated = domainEvent({ type: 'user.updated', actor_id: '2', user_id: '2' });
  assert.deepEqual([updated.topic, updated.key], [topics.userEvents, '2']);
  const dissolved = domainEvent({ type: 'conversation.dissolved', actor_id: '2', conversation_id: '9' });
  assert.deepEqual([dissolved.topic, dissolved.key], [topics.conversationEvents, '9']);
});

test('every event has an id of its own unless one is given, and a time', () => {
  const fields = { type: 'user.updated', actor_id: '2', user_id: '2' } as const;
  const [first, second] = [domainEvent(fields), domainEvent(fields)].map(({ payload }) =>
    JSON.parse(payload),
  );
  assert.notEqual(first.event_id, second.event_id);
  assert.ok(Math.abs(first.occurred_at - Date.now()) < 1000);
  assert.equal(JSON.parse(domainEvent({ ...fields, event_id: 'x' }).payload).event_id, 'x');
});

test('an ordered event goes to the topic and key of the messages of its conversation', () => {
  const event = orderedEvent({
    type: 'conversation.member.removed',
    conversation_id: '9',
    actor_id: '7',
    user_ids: ['4'],
    extra_user_ids: ['4'],
    last_seq_id: 2,
  });
  assert.deepEqual([event.topic, event.key], [topics.upstream, '9']);
  const { event_id, ...rest } = JSON.parse(event.payload).event;
  assert.match(event_id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, {
    type: 'conversation.member.removed',
    conversation_id: '9',
    actor_id: '7',
    user_ids: ['4'],
    extra_user_ids: ['4'],
    last_seq_id: 2,
  });
});
