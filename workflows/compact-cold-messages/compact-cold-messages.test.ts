import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Activities } from '../../activities/index.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { type CompactColdMessagesResult, compactColdMessages } from './contract.ts';

const { workflowType, ...start } = compactColdMessages;
let temporal: TestTemporal;
let lastRun = 0;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

const run = (input: object): Promise<CompactColdMessagesResult> =>
  temporal.client.workflow.execute(workflowType, {
    ...start,
    workflowId: `compact-${++lastRun}`,
    args: [input],
  });

test('objects are rewritten by pages, until none has changes from before the run', async () => {
  const asked: Parameters<Activities['compactPage']>[0][] = [];
  const result = await temporal.withWorker(
    {
      async compactPage(which) {
        asked.push(which);
        return { enabled: true, after: asked.length === 1 ? '5' : '', objects: 2, messages: 3, skipped: 1 };
      },
    },
    () => run({ userId: '7' }),
  );
  assert.deepEqual(result, { message: '', objects: 4, messages: 6, skipped: 2 });
  assert.deepEqual(
    asked.map(({ after, userId, conversationId }) => [after, userId, conversationId]),
    [
      ['', '7', ''],
      ['5', '7', ''],
    ],
  );
  assert.equal(asked[0]?.before, asked[1]?.before);
});

test('without a store the flow ends with a sentence that says so', async () => {
  const none = { enabled: false, after: '', objects: 0, messages: 0, skipped: 0 };
  const { message } = await temporal.withWorker({ compactPage: async () => none }, () => run({}));
  assert.match(message, /COLD_URL/);
});
