import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DownstreamEvent } from '../../../lib/kafka/records.ts';
import { createDepartures } from './departures.ts';

const removed = (conversationId: string, userIds: string[], last_seq_id: number): DownstreamEvent => ({
  event_id: 'e',
  frame: 'member-removed',
  data: { conversationId, userIds, by: '1' },
  last_seq_id,
});

test('whoever left gets no message from before, and again all from after coming back', () => {
  const departures = createDepartures();
  assert.equal(departures.from('7', 1), undefined);
  departures.note(removed('7', ['5', '6'], 10));
  assert.equal(departures.from('8', 10), undefined);
  assert.equal(departures.from('7', 10)?.('5'), true);
  assert.equal(departures.from('7', 10)?.('4'), false);
  assert.equal(departures.from('7', 11)?.('5'), false);
  departures.note(removed('7', ['5'], 20));
  assert.deepEqual([departures.from('7', 20)?.('5'), departures.from('7', 20)?.('6')], [true, false]);
});

test('whoever left is gone until being added again', () => {
  const departures = createDepartures();
  const added = {
    event_id: 'e',
    frame: 'member-added',
    data: { conversationId: '7', members: [{ id: '5' }] },
  } as DownstreamEvent;
  departures.note(added);
  departures.note(removed('7', ['5', '6'], 10));
  assert.deepEqual([departures.isGone('7', '5'), departures.isGone('7', '4')], [true, false]);
  departures.note(added);
  assert.deepEqual([departures.isGone('7', '5'), departures.isGone('7', '6')], [false, true]);
  // What was sent before still does not come.
  assert.equal(departures.from('7', 10)?.('5'), true);
  departures.note(removed('7', ['5'], 11));
  assert.equal(departures.isGone('7', '5'), true);
});

test('a dissolved conversation has no more messages for anybody', () => {
  const departures = createDepartures();
  departures.note({ event_id: 'e', frame: 'conversation-dissolved', data: { conversationId: '7' } });
  departures.note(removed('7', ['5'], 10));
  assert.equal(departures.from('7', 11)?.('4'), true);
});

test('other events say nothing, and what is remembered is bounded', () => {
  const departures = createDepartures();
  departures.note({ ...removed('7', ['5'], 10), frame: 'member-added' } as DownstreamEvent);
  assert.equal(departures.from('7', 1), undefined);
  const many = Array.from({ length: 60_000 }, (_, index) => String(index));
  departures.note(removed('7', many, 10));
  departures.note(removed('8', many, 10));
  assert.equal(departures.from('7', 1), undefined);
  assert.equal(departures.from('8', 1)?.('5'), true);
});
