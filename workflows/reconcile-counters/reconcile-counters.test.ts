import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import type { ComparedPages } from '../../activities/reconcile-counters.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { type ReconcileCountersInput, type ReconcileCountersResult, reconcileCounters } from './contract.ts';

const { workflowType, ...start } = reconcileCounters;
let temporal: TestTemporal;
let lastRun = 0;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

const reconcile = (input?: unknown): Promise<ReconcileCountersResult> =>
  temporal.client.workflow.execute(workflowType, {
    ...start,
    workflowId: `reconcile-${++lastRun}`,
    args: input === undefined ? [] : [input as ReconcileCountersInput],
  });

/** An activity that returns these pages, one per call, and records its inputs. */
function counters(...pages: ComparedPages[]) {
  const asked: { dryRun: boolean; after: string }[] = [];
  const steps: Partial<Activities> = {
    async compareCounters(input) {
      asked.push(input);
      return pages[asked.length - 1] ?? assert.fail('nobody should ask any more');
    },
  };
  return { asked, steps };
}

const right = { memberCount: 0, head: 0, lastMessage: 0, readPointers: 0, unread: 0 };

test('the findings of all pages are added up', async () => {
  const { asked, steps } = counters(
    {
      after: '70',
      findings: {
        checked: 400,
        wrong: { ...right, memberCount: 1, unread: 3 },
        mended: 1,
        conversationIds: ['7'],
      },
    },
    {
      after: '',
      findings: { checked: 9, wrong: { ...right, unread: 1, head: 1 }, mended: 0, conversationIds: ['71'] },
    },
  );
  const result = await temporal.withWorker(steps, () => reconcile());
  assert.deepEqual(result, {
    checked: 409,
    wrong: { ...right, memberCount: 1, head: 1, unread: 4 },
    mended: 1,
    conversationIds: ['7', '71'],
    dryRun: false,
  });
  assert.deepEqual(asked, [
    { dryRun: false, after: '' },
    { dryRun: false, after: '70' },
  ]);
});

test('a dry run says so to every page', async () => {
  const { asked, steps } = counters({
    after: '',
    findings: { checked: 2, wrong: right, mended: 0, conversationIds: [] },
  });
  const result = await temporal.withWorker(steps, () => reconcile({ dryRun: true }));
  assert.equal(result.dryRun, true);
  assert.deepEqual(asked, [{ dryRun: true, after: '' }]);
});

test('an invalid input repairs nothing', async () => {
  const { asked, steps } = counters();
  await temporal.withWorker(steps, async () => {
    for (const input of [{ dryrun: true }, { dryRun: 'yes' }, true]) {
      await assert.rejects(reconcile(input), WorkflowFailedError);
    }
  });
  assert.deepEqual(asked, []);
});
