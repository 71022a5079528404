import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FanoutResult } from '../../activities/fanout-messages/fanout-messages.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { fanoutMessages, fanoutStart } from './contract.ts';

let temporal: TestTemporal;
let lastConversation = 0;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

/** Runs a conversation's flow with an activity that returns these results; the last result is repeated. */
async function scene(
  answers: FanoutResult[],
  work: (scene: {
    wake(): Promise<unknown>;
    runs: () => number;
    handle: ReturnType<TestTemporal['client']['workflow']['getHandle']>;
  }) => Promise<void>,
): Promise<void> {
  const conversationId = `c${++lastConversation}`;
  let runs = 0;
  const streamFanout = async () =>
    answers[Math.min(runs++, answers.length - 1)] ?? assert.fail('no answer was given');
  const wake = () =>
    temporal.client.workflow.signalWithStart(fanoutMessages.workflowType, {
      ...fanoutStart(conversationId),
      signal: fanoutMessages.wake,
    });
  const handle = temporal.client.workflow.getHandle(`fanout/${conversationId}`);
  await temporal.withWorker({ streamFanout }, () => work({ wake, runs: () => runs, handle }));
}

test('a signal starts the flow, and another one leads to another activity of the same run', () =>
  scene([{ done: 3, more: false }], async ({ wake, runs, handle }) => {
    await wake();
    await eventually(() => runs() >= 1);
    const { runId } = await handle.describe();
    const before = runs();
    await wake();
    await eventually(() => runs() > before);
    assert.equal((await handle.describe()).runId, runId);
    await handle.result();
  }));

test('an activity that ended early is followed by the next one at once', () =>
  scene(
    [
      { done: 1, more: true },
      { done: 2, more: true },
      { done: 3, more: false },
    ],
    async ({ wake, runs, handle }) => {
      await wake();
      await handle.result();
      assert.ok(runs() >= 3);
    },
  ));

test('the flow of a silent conversation closes, and the next message starts it again', () =>
  scene([{ done: 3, more: false }], async ({ wake, runs, handle }) => {
    await wake();
    await handle.result();
    const before = runs();
    await wake();
    await handle.result();
    assert.ok(runs() > before);
  }));
