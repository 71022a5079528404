import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FanoutTask } from '../../lib/records/records.ts';
import { createLiveConversations } from './live-conversations.ts';

const task = (first: number, last = first): FanoutTask => ({
  conversation_id: '9',
  first_seq_id: first,
  last_seq_id: last,
  sent_at: 0,
});

test('an idle conversation is removed before its wait resolves', async () => {
  const live = createLiveConversations();
  const conversation = live.enter('9');
  const wokenAtOnce = conversation.wait(0, 5).then((result) => [result, live.wake(task(1))]);
  assert.deepEqual(await wokenAtOnce, ['idle', false]);
});

test('work that arrived before the wait ends it at once', async () => {
  const live = createLiveConversations();
  const conversation = live.enter('9');
  live.wake(task(3, 5));
  assert.equal(conversation.target(), 5);
  assert.equal(await conversation.wait(2, 60_000), 'work');
});

test('a second attempt for a conversation ends the first one, and gets its wake-ups', async () => {
  const live = createLiveConversations();
  const first = live.enter('9');
  const waiting = first.wait(0, 60_000);
  const second = live.enter('9');
  assert.equal(await waiting, 'ended');
  first.leave();
  assert.equal(live.wake(task(1)), true);
  assert.equal(second.target(), 1);
});

test('a task is completed when all its messages were delivered', () => {
  const live = createLiveConversations();
  const conversation = live.enter('9');
  live.wake(task(1, 2));
  live.wake(task(3, 4));
  assert.deepEqual(
    conversation.takeCovered(3).map(({ first_seq_id }) => first_seq_id),
    [1],
  );
  assert.deepEqual(conversation.takeCovered(3), []);
});

test('a conversation that becomes live during a drain ends at once', async () => {
  const live = createLiveConversations();
  live.drain();
  assert.equal(live.enter('9').ended(), true);
});
