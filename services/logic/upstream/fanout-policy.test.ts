import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FanoutMessage, fanoutTasks } from './fanout-policy.ts';

const message = (conversationId: string, seqId: number): FanoutMessage => ({
  conversationId,
  seqId,
  receivedAt: seqId,
});

test('consecutive seq ids of a conversation are one task, also if other conversations’ messages lie between them', () => {
  const tasks = fanoutTasks([
    message('1', 5),
    message('2', 1),
    message('1', 6),
    message('1', 7),
    message('2', 2),
  ]);
  assert.deepEqual(tasks, [
    {
      conversation_id: '1',
      first_seq_id: 5,
      last_seq_id: 7,
      sent_at: 5,
    },
    {
      conversation_id: '2',
      first_seq_id: 1,
      last_seq_id: 2,
      sent_at: 1,
    },
  ]);
});

test('a gap between redelivered and new messages makes two tasks', () => {
  const tasks = fanoutTasks([message('1', 3), message('1', 4), message('1', 9)]);
  assert.deepEqual(
    tasks.map((task) => [task.first_seq_id, task.last_seq_id]),
    [
      [3, 4],
      [9, 9],
    ],
  );
});
