import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DownstreamEvent } from '../../../lib/records/records.ts';
import { createDepartures } from './departures.ts';

const removed = (conversationId: string, userIds: string[], last_seq_id: number): DownstreamEvent => ({
  event_id: 'e',
  frame: 'member-removed',
  data: { conversationId, userIds, by: '1' },
  last_seq_id,
});

test('a user who left gets no earlier message, and gets the later ones after being added again', () => {
  const departures = createDepartures();
  assert.equal(departures.hasLeftAfter('7', 1), undefined);
  departures.record(removed('7', ['5', '6'], 10));
  assert.equal(departures.hasLeftAfter('8', 10), undefined);
  assert.equal(departures.hasLeftAfter('7', 10)?.('5'), true);
  assert.equal(departures.hasLeftAfter('7', 10)?.('4'), false);
  assert.equal(departures.hasLeftAfter('7', 11)?.('5'), false);
  departures.record(removed('7', ['5'], 20));
  assert.deepEqual(
    [departures.hasLeftAfter('7', 20)?.('5'), departures.hasLeftAfter('7', 20)?.('6')],
    [true, false],
  );
});

test('a user who left counts as absent until being added again', () => {
  const departures = createDepartures();
  const added = {
    event_id: 'e',
    frame: 'member-added',
    data: { conversationId: '7', members: [{ id: '5' }] },
  } as DownstreamEvent;
  departures.record(added);
  departures.record(removed('7', ['5', '6'], 10));
  assert.deepEqual([departures.isGone('7', '5'), departures.isGone('7', '4')], [true, false]);
  departures.record(added);
  assert.deepEqual([departures.isGone('7', '5'), departures.isGone('7', '6')], [false, true]);
  // Messages from before the departure are still not delivered.
  assert.equal(departures.hasLeftAfter('7', 10)?.('5'), true);
  departures.record(removed('7', ['5'], 11));
  assert.equal(departures.isGone('7', '5'), true);
});

test('nobody gets messages of a dissolved conversation', () => {
  const departures = createDepartures();
  departures.record({ event_id: 'e', frame: 'conversation-dissolved', data: { conversationId: '7' } });
  departures.record(removed('7', ['5'], 10));
  assert.equal(departures.hasLeftAfter('7', 11)?.('4'), true);
});

test('other events are ignored, and the number of remembered users is bounded', () => {
  const departures = createDepartures();
  departures.record({ ...removed('7', ['5'], 10), frame: 'member-added' } as DownstreamEvent);
  assert.equal(departures.hasLeftAfter('7', 1), undefined);
  const many = Array.from({ length: 60_000 }, (_, index) => String(index));
  departures.record(removed('7', many, 10));
  departures.record(removed('8', many, 10));
  assert.equal(departures.hasLeftAfter('7', 1), undefined);
  assert.equal(departures.hasLeftAfter('8', 1)?.('5'), true);
});
