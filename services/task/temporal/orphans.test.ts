import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLogger } from '../../../lib/log.ts';
import { createRealTimeTestTemporal, type TestTemporal } from '../../../test/support/flows/flows.ts';
import { taskQueues } from '../../../workflows/contracts/task-queues.ts';
import { fanoutMessages, fanoutStart } from '../../../workflows/fanout-messages/contract.ts';
import { isPredecessor, releaseOrphans, workerIdentity } from './orphans.ts';

const log = createLogger('test', 'fatal');
const namespace = 'default';
let temporal: TestTemporal;

before(async () => {
  temporal = await createRealTimeTestTemporal();
});
after(() => temporal?.close());

/** Polls the next activity like a worker, and does nothing with it. */
async function takeActivity(identity: string) {
  const { attempt, workflowExecution } = await temporal.client.withDeadline(Date.now() + 50_000, () =>
    temporal.client.workflowService.pollActivityTaskQueue({
      namespace,
      taskQueue: { name: taskQueues.fanout },
      identity,
    }),
  );
  return { attempt, workflowId: workflowExecution?.workflowId };
}

test('an earlier start of the same process is recognised', () => {
  const own = workerIdentity('task-1');
  assert.ok(isPredecessor(workerIdentity('task-1'), own));
  assert.ok(!isPredecessor(own, own));
  for (const other of [workerIdentity('task-11'), workerIdentity('task'), '17@host', 'task-1', '']) {
    assert.ok(!isPredecessor(other, own), other);
  }
});

test('the activities of a killed process are rescheduled at once when it restarts; those of others are not', async () => {
  await temporal.withWorker({}, async () => {
    const start = (conversationId: string) =>
      temporal.client.workflow.start(fanoutMessages.workflowType, fanoutStart(conversationId));
    const ours = await start('1');
    assert.deepEqual(await takeActivity(workerIdentity('task-1')), { attempt: 1, workflowId: 'fanout/1' });
    const others = await start('2');
    assert.deepEqual(await takeActivity(workerIdentity('task-2')), { attempt: 1, workflowId: 'fanout/2' });

    const from = Date.now();
    const identity = workerIdentity('task-1');
    await releaseOrphans({ client: temporal.client, identity, log });
    assert.deepEqual(await takeActivity(identity), { attempt: 2, workflowId: 'fanout/1' });
    assert.ok(Date.now() - from < 3000, `it took ${Date.now() - from} ms`);

    const { raw } = await others.describe();
    assert.equal(raw.pendingActivities?.[0]?.attempt, 1);
    await Promise.all([ours, others].map((handle) => handle.terminate('the test is over')));
  });
});

test('a stopped process that does not return is detected within 20 s, also after many such stops', async () => {
  await temporal.withWorker({}, async () => {
    const handle = await temporal.client.workflow.start(fanoutMessages.workflowType, fanoutStart('3'));
    for (const attempt of [1, 2, 3]) {
      const from = Date.now();
      assert.deepEqual(await takeActivity(workerIdentity(`task-${attempt}`)), {
        attempt,
        workflowId: 'fanout/3',
      });
      assert.ok(Date.now() - from < 18_000, `it took ${Date.now() - from} ms`);
    }
    await handle.terminate('the test is over');
  });
});
