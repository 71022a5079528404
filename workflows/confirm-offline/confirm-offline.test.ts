import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { type ConfirmOfflineResult, confirmOffline, confirmOfflineStart } from './contract.ts';

let temporal: TestTemporal;
let lastOffset = 0;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

type Answer = Awaited<ReturnType<Activities['confirmUsersOffline']>>;

const users = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    userId: String(index + 1),
    epoch: `e${index}`,
    lastActiveAt: 1,
  }));

/**
 * Runs the flow for users who left `agoMs` ago with these answers; returns the times of its calls since its start.
 */
async function run(answers: Answer[], { agoMs = 0, count = 3, confirmMs = 30_000 } = {}) {
  let startedAt = 0;
  const asked: { afterMs: number; users: number }[] = [];
  const activities: Partial<Activities> = {
    async confirmUsersOffline(input) {
      asked.push({
        afterMs: (await temporal.environment.currentTimeMs()) - startedAt,
        users: input.users.length,
      });
      return answers[asked.length - 1] ?? assert.fail('asked too often');
    },
  };
  return temporal.withWorker(activities, async () => {
    // Read after the worker has started, since that takes seconds on a busy machine.
    startedAt = await temporal.environment.currentTimeMs();
    const start = confirmOfflineStart(
      { partition: 0, offset: String(++lastOffset), timestamp: '1' },
      { users: users(count), disconnectedAt: startedAt - agoMs, confirmMs },
    );
    const result: ConfirmOfflineResult = await temporal.client.workflow.execute(
      confirmOffline.workflowType,
      start,
    );
    return { result, asked, start };
  });
}

/** A tolerance: the clock skips timers, but work takes real time. */
const about = (ms: number, expected: number) => assert.ok(ms >= expected && ms < expected + 5000, `${ms} ms`);

test('users who left are checked after thirty seconds, once', async () => {
  const { result, asked } = await run([{ offline: 2, waitMs: 0 }]);
  assert.deepEqual(result, { offline: 2 });
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.users, 3);
  about(asked[0]?.afterMs ?? 0, 30_000);
});

test('the time that disconnects waited in Kafka counts', async () => {
  about((await run([{ offline: 1, waitMs: 0 }], { agoMs: 20_000 })).asked[0]?.afterMs ?? 0, 10_000);
  about((await run([{ offline: 1, waitMs: 0 }], { agoMs: 90_000 })).asked[0]?.afterMs ?? 0, 0);
});

test('a clock that is ahead makes the flow wait no longer', async () => {
  about((await run([{ offline: 1, waitMs: 0 }], { agoMs: -600_000 })).asked[0]?.afterMs ?? 0, 30_000);
});

test('while presence is unknown, it waits and asks again', async () => {
  const { result, asked } = await run([
    { offline: 0, waitMs: 75_000 },
    { offline: 0, waitMs: 20_000 },
    { offline: 3, waitMs: 0 },
  ]);
  assert.deepEqual(result, { offline: 3 });
  about(asked[1]?.afterMs ?? 0, 105_000);
  about(asked[2]?.afterMs ?? 0, 125_000);
});

test('a batch of five hundred is one flow, whose id cannot be used again', async () => {
  const { start } = await run([{ offline: 500, waitMs: 0 }], { count: 500 });
  await assert.rejects(temporal.client.workflow.start(confirmOffline.workflowType, start), {
    name: 'WorkflowExecutionAlreadyStartedError',
  });
});

test('a cancelled flow ends without asking im-repo', async () => {
  const start = confirmOfflineStart(
    { partition: 0, offset: String(++lastOffset), timestamp: '1' },
    { users: users(1), disconnectedAt: await temporal.environment.currentTimeMs(), confirmMs: 30_000 },
  );
  let asked = 0;
  const activities: Partial<Activities> = {
    async confirmUsersOffline() {
      asked += 1;
      return { offline: 0, waitMs: 0 };
    },
  };
  await temporal.withWorker(activities, async () => {
    const handle = await temporal.client.workflow.start(confirmOffline.workflowType, start);
    await handle.cancel();
    await assert.rejects(handle.result(), WorkflowFailedError);
  });
  assert.equal(asked, 0);
});
