import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { createMetrics } from '../../../lib/metrics.ts';
import type { ConfirmOfflineArgs } from '../../../workflows/confirm-offline/contract.ts';
import { createDisconnectConsumer } from './disconnect-consumer.ts';

/** A batch waits for more disconnects for a third of it. */
const confirmMs = 30;

type Started = { workflowId: string; users: string[]; args: ConfirmOfflineArgs };

/** A consumer and the flows that it started. Like Temporal, it refuses a workflow id that is taken. */
function scene({ reachable = true } = {}) {
  const started: Started[] = [];
  const client = {
    withDeadline: (_: number, call: () => Promise<unknown>) => call(),
    workflow: {
      async start(type: string, { workflowId, args }: { workflowId: string; args: [ConfirmOfflineArgs] }) {
        if (started.some((flow) => flow.workflowId === workflowId)) {
          throw new WorkflowExecutionAlreadyStartedError('taken', workflowId, type);
        }
        started.push({ workflowId, users: args[0].users.map(({ userId }) => userId), args: args[0] });
      },
    },
  } as unknown as Client;
  const state = { reachable };
  const handle = createDisconnectConsumer({
    client: () => (state.reachable ? client : undefined),
    confirmMs,
    metrics: createMetrics('test'),
  });
  return { started, state, handle };
}

const record = (partition: number, offset: number, value: object) => ({
  topic: 'gochat.user-events',
  partition,
  offset: String(offset),
  timestamp: `17${offset}`,
  value,
});
/** Ids begin with no zero. */
const userIdAt = (partition: number, offset: number) => `${partition || 9}0${offset}`;
const left = (partition: number, offset: number, userId = userIdAt(partition, offset), at = 1000 + offset) =>
  record(partition, offset, {
    event_id: `user.disconnected/${userId}/e`,
    type: 'user.disconnected',
    occurred_at: at,
    actor_id: userId,
    user_id: userId,
    epoch: 'e',
    last_active_at: 5,
  });
const many = (partition: number, count: number) =>
  Array.from({ length: count }, (_, offset) => left(partition, offset));

test('disconnects that arrive together from several partitions are one flow, named after the first', async () => {
  const { handle, started } = scene();
  await Promise.all([handle([left(3, 7), left(3, 8)]), handle([left(5, 1)])]);
  assert.deepEqual(
    started.map(({ workflowId, users }) => [workflowId, users]),
    [['confirm-offline/3/7/177', ['307', '308', '501']]],
  );
  const args = started[0]?.args;
  assert.deepEqual([args?.disconnectedAt, args?.confirmMs], [1008, confirmMs]);
  assert.deepEqual(args?.users[0], { userId: '307', epoch: 'e', lastActiveAt: 5 });
});

test('two thousand disconnects at once are four flows of five hundred each', async () => {
  const { handle, started } = scene();
  await Promise.all(Array.from({ length: 8 }, (_, partition) => handle(many(partition, 250))));
  assert.deepEqual(
    started.map(({ users }) => users.length),
    [500, 500, 500, 500],
  );
  assert.equal(new Set(started.flatMap(({ users }) => users)).size, 2000);
});

test('other events of the topic start no flow and wait for none', async () => {
  const { handle, started } = scene();
  await handle([record(0, 1, { type: 'user.online' }), record(0, 2, { type: 'user.updated' })]);
  assert.deepEqual(started, []);
});

test('while Temporal is down, records are refused with a retryable error, and start the same flow later', async () => {
  const { handle, started, state } = scene({ reachable: false });
  await assert.rejects(handle([left(1, 1)]), { code: 'UNAVAILABLE' });
  state.reachable = true;
  await handle([left(1, 1)]);
  assert.deepEqual(
    started.map(({ workflowId }) => workflowId),
    ['confirm-offline/1/1/171'],
  );
});

test('records that are redelivered in other batches leave nobody out', async () => {
  const { handle, started } = scene();
  await handle([left(1, 1), left(1, 2)]);
  await handle([left(1, 1), left(1, 2), left(1, 3)]);
  assert.deepEqual(
    started.map(({ workflowId, users }) => [workflowId, users]),
    [
      ['confirm-offline/1/1/171', ['101', '102']],
      ['confirm-offline/1/2/172', ['102', '103']],
    ],
  );
  await handle([left(1, 1)]);
  assert.equal(started.length, 2);
});

test('the records of a topic that was created again get workflow ids that were not used before', async () => {
  const { handle, started } = scene();
  const disconnect = left(0, 0);
  await handle([disconnect]);
  await handle([{ ...disconnect, timestamp: '999' }]);
  assert.deepEqual(
    started.map(({ workflowId }) => workflowId),
    ['confirm-offline/0/0/170', 'confirm-offline/0/0/999'],
  );
});

test('an invalid disconnect is refused for good', async () => {
  const { value } = left(1, 1);
  for (const wrong of [
    { user_id: undefined },
    { user_id: 'ann' },
    { user_id: 7 },
    { epoch: '' },
    { epoch: 'e'.repeat(501) },
    { last_active_at: null },
    { last_active_at: 'yesterday' },
    { occurred_at: 1e300 },
  ]) {
    const { handle, started } = scene();
    await assert.rejects(
      handle([record(1, 1, { ...value, ...wrong })]),
      { code: 'INVALID_ARGUMENT' },
      JSON.stringify(wrong),
    );
    assert.deepEqual(started, []);
  }
});
