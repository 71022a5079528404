import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import { createLiveConversations } from '../../../activities/fanout-messages/live-conversations.ts';
import { createFanoutConsumer } from './fanout-consumer.ts';

/** A consumer, and the ids of the workflows that it signalled. */
function scene({ reachable = true } = {}) {
  const signalled: string[] = [];
  const client = {
    withDeadline: (_: number, call: () => Promise<unknown>) => call(),
    workflow: {
      async signalWithStart(_type: string, { workflowId }: { workflowId: string }) {
        signalled.push(workflowId);
      },
    },
  } as unknown as Client;
  const live = createLiveConversations();
  const handle = createFanoutConsumer({ live, client: () => (reachable ? client : undefined) });
  return {
    live,
    signalled,
    handle: (...values: object[]) =>
      handle(
        values.map((value, offset) => ({
          topic: 't',
          partition: 0,
          offset: String(offset),
          timestamp: '0',
          value,
        })),
      ),
  };
}

const task = (conversationId: string, seqId: number) => ({
  conversation_id: conversationId,
  first_seq_id: seqId,
  last_seq_id: seqId,
  sent_at: 0,
});

test('each conversation of a batch is signalled once, and not again shortly afterwards', async () => {
  const { handle, signalled } = scene();
  await handle(task('1', 1), task('2', 1), task('1', 2));
  await handle(task('1', 3));
  assert.deepEqual(signalled, ['fanout/1', 'fanout/2']);
});

test('a conversation that is live here is woken in memory', async () => {
  const { handle, signalled, live } = scene();
  const conversation = live.enter('1');
  await handle(task('1', 7));
  assert.equal(conversation.target(), 7);
  assert.deepEqual(signalled, []);
});

test('while Temporal is down, tasks are refused with a retryable error, so that they wait in Kafka', async () => {
  const { handle } = scene({ reachable: false });
  await assert.rejects(handle(task('1', 1)), { code: 'UNAVAILABLE' });
});

test('an invalid task is refused for good', async () => {
  await assert.rejects(scene().handle({ conversation_id: 5 }), { code: 'INVALID_ARGUMENT' });
});
