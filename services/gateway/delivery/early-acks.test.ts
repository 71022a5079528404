import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEarlyAcks } from './early-acks.ts';

const ack = (
  session_id: string,
  seq_id: number,
  more: { duplicate?: boolean; conversation_id?: string } = {},
) => ({
  session_id,
  conversation_id: '7',
  client_msg_id: `m${seq_id}`,
  seq_id,
  duplicate: false,
  ...more,
});

test('an acknowledgement may come early if everything before it was delivered', () => {
  const early = createEarlyAcks();
  assert.ok(early.mayAnswer(ack('ann', 1)));
  early.delivered('7', 1);
  assert.ok(early.mayAnswer(ack('bob', 2)));
  assert.ok(!early.mayAnswer(ack('bob', 3)));
});

test('an acknowledgement waits for the messages of others before it, but not for those of its own session', () => {
  const early = createEarlyAcks();
  early.delivered('7', 4);
  early.answered(ack('ann', 5));
  assert.ok(early.mayAnswer(ack('ann', 6)));
  assert.ok(!early.mayAnswer(ack('bob', 6)), 'bob has not received 5 yet');
  early.delivered('7', 5);
  assert.ok(early.mayAnswer(ack('bob', 6)));
});

test('in a conversation of which nothing is known an acknowledgement waits, unless it is the first message', () => {
  const early = createEarlyAcks();
  assert.ok(!early.mayAnswer(ack('ann', 9)));
  assert.ok(early.mayAnswer(ack('ann', 1)));
  assert.ok(early.mayAnswer(ack('ann', 9, { duplicate: true })), 'a duplicate has no place in the order');
});

test('an early answer is told of once, so that the record does not repeat it', () => {
  const early = createEarlyAcks();
  early.answered(ack('ann', 1));
  assert.ok(early.wasAnswered(ack('ann', 1)));
  assert.ok(!early.wasAnswered(ack('ann', 1)));
  assert.ok(!early.wasAnswered(ack('ann', 1, { conversation_id: '8' })));
});
