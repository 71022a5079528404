import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities/index.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { type CleanupExpiredStatusResult, cleanupExpiredStatus } from './contract.ts';

let temporal: TestTemporal;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

type Pages = Awaited<ReturnType<Activities['cleanUpSessions']>>;
type Asked = Parameters<Activities['cleanUpSessions']>[0];

const pages = (cursor: string, offline: number, sessionsRemoved: number, waitMs = 0): Pages => ({
  cursor,
  offline,
  sessionsRemoved,
  waitMs,
});

/** Runs the flow with these answers of its activity; returns the inputs that the activity got. */
async function run(answers: Pages[], ...args: unknown[]) {
  const asked: Asked[] = [];
  const activities: Partial<Activities> = {
    async cleanUpSessions(input) {
      asked.push(input);
      return answers[asked.length - 1] ?? assert.fail('asked too often');
    },
  };
  const result: Promise<CleanupExpiredStatusResult> = temporal.withWorker(activities, () =>
    temporal.client.workflow.execute(cleanupExpiredStatus.workflowType, {
      workflowId: randomUUID(),
      taskQueue: cleanupExpiredStatus.taskQueue,
      args,
    }),
  );
  return { result: await result.catch((error: unknown) => ({ error })), asked };
}

test('without input it goes through all pages and sums them up', async () => {
  const { result, asked } = await run([pages('a', 3, 5), pages('b', 1, 1), pages('', 0, 0)]);
  assert.deepEqual(result, { offline: 4, sessionsRemoved: 6, dryRun: false });
  assert.deepEqual(
    asked.map(({ cursor }) => cursor),
    ['', 'a', 'b'],
  );
  assert.deepEqual([asked[0]?.dryRun, asked[0]?.olderThanMs], [false, 0]);
});

test('input reaches every page', async () => {
  const { result, asked } = await run([pages('a', 3, 5), pages('', 0, 0)], {
    dryRun: true,
    olderThanMs: 100_000,
  });
  assert.deepEqual(result, { offline: 3, sessionsRemoved: 5, dryRun: true });
  for (const { dryRun, olderThanMs } of asked) assert.deepEqual([dryRun, olderThanMs], [true, 100_000]);
});

test('after a flush of Redis it waits for the healing time, and continues where it stopped', async () => {
  const before = await temporal.environment.currentTimeMs();
  const { result, asked } = await run([pages('a', 3, 5), pages('a', 0, 0, 75_000), pages('', 1, 1)]);
  assert.deepEqual(result, { offline: 4, sessionsRemoved: 6, dryRun: false });
  assert.equal(asked[2]?.cursor, 'a');
  assert.ok((await temporal.environment.currentTimeMs()) - before >= 75_000);
});

test('wrong input fails at once, for good, and says why', async () => {
  const { result, asked } = await run([], { olderThanMs: 'long' });
  assert.ok('error' in result && result.error instanceof WorkflowFailedError);
  const { cause } = result.error;
  assert.ok(cause instanceof ApplicationFailure);
  assert.deepEqual([cause.type, cause.nonRetryable], ['INVALID_ARGUMENT', true]);
  assert.match(cause.message, /olderThanMs must be a whole number/);
  assert.deepEqual(asked, []);
});
