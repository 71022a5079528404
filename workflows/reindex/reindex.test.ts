import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { type ReindexInput, type ReindexResult, reindex } from './contract.ts';

const { workflowType, ...start } = reindex;
let temporal: TestTemporal;
let lastRun = 0;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

const run = (input?: unknown): Promise<ReindexResult> =>
  temporal.client.workflow.execute(workflowType, {
    ...start,
    workflowId: `reindex-${++lastRun}`,
    args: input === undefined ? [] : [input as ReindexInput],
  });

/** An activity that answers two pages, and records its inputs. */
function index(failures = 0) {
  const asked: { cursor: string; conversationId?: string }[] = [];
  let left = failures;
  const steps: Partial<Activities> = {
    async rebuildIndex(input) {
      asked.push(input);
      if (left-- > 0) throw new Error('the worker died');
      return input.cursor === ''
        ? { cursor: '9:1025', indexed: 100_000, conversations: 40 }
        : { cursor: '', indexed: 7, conversations: 2 };
    },
  };
  return { asked, steps };
}

test('the index is built step by step, and what the steps did is added up', async () => {
  const { asked, steps } = index();
  assert.deepEqual(await temporal.withWorker(steps, () => run()), { indexed: 100_007, conversations: 42 });
  assert.deepEqual(asked, [{ cursor: '' }, { cursor: '9:1025' }]);
});

test('a step that failed is done again from where it began', async () => {
  const { asked, steps } = index(2);
  assert.equal((await temporal.withWorker(steps, () => run({}))).indexed, 100_007);
  assert.deepEqual(
    asked.map(({ cursor }) => cursor),
    ['', '', '', '9:1025'],
  );
});

test('an input that is not understood builds nothing', async () => {
  const { asked, steps } = index();
  await temporal.withWorker(steps, async () => {
    for (const input of [{ conversation: '9' }, { conversationId: 9 }, { conversationId: '' }, 7]) {
      await assert.rejects(run(input), WorkflowFailedError);
    }
  });
  assert.deepEqual(asked, []);
});
