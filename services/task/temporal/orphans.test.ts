import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLogger } from '../../../lib/log.ts';
import { createRealFlowWorld, type FlowWorld } from '../../../test/support/flows/flows.ts';
import { taskQueues } from '../../../workflows/contracts/task-queues.ts';
import { fanoutMessages, fanoutStart } from '../../../workflows/fanout-messages/contract.ts';
import { isPredecessor, releaseOrphans, workerIdentity } from './orphans.ts';

const log = createLogger('test', 'fatal');
const namespace = 'default';
let world: FlowWorld;

before(async () => {
  world = await createRealFlowWorld();
});
after(() => world?.close());

/** Polls the next activity like a worker, and does nothing with it. */
async function takeActivity(identity: string) {
  const { attempt, workflowExecution } = await world.client.withDeadline(Date.now() + 50_000, () =>
    world.client.workflowService.pollActivityTaskQueue({
      namespace,
      taskQueue: { name: taskQueues.fanout },
      identity,
    }),
  );
  return { attempt, workflowId: workflowExecution?.workflowId };
}

test('an earlier start of the same process is told from others', () => {
  const own = workerIdentity('task-1');
  assert.ok(isPredecessor(workerIdentity('task-1'), own));
  assert.ok(!isPredecessor(own, own));
  for (const other of [workerIdentity('task-11'), workerIdentity('task'), '17@host', 'task-1', '']) {
    assert.ok(!isPredecessor(other, own), other);
  }
});

test('what a killed start left behind is handed out at once when the process is back; others keep theirs', async () => {
  await world.withWorker({}, async () => {
    const start = (conversationId: string) =>
      world.client.workflow.start(fanoutMessages.workflowType, fanoutStart(conversationId));
    const ours = await start('1');
    assert.deepEqual(await takeActivity(workerIdentity('task-1')), { attempt: 1, workflowId: 'fanout/1' });
    const others = await start('2');
    assert.deepEqual(await takeActivity(workerIdentity('task-2')), { attempt: 1, workflowId: 'fanout/2' });

    const from = Date.now();
    const identity = workerIdentity('task-1');
    await releaseOrphans({ client: world.client, identity, log });
    assert.deepEqual(await takeActivity(identity), { attempt: 2, workflowId: 'fanout/1' });
    assert.ok(Date.now() - from < 3000, `it took ${Date.now() - from} ms`);

    const { raw } = await others.describe();
    assert.equal(raw.pendingActivities?.[0]?.attempt, 1);
    await Promise.all([ours, others].map((handle) => handle.terminate('the test is over')));
  });
});

test('a process that is not back is found out, however often that has happened: never later than 20 s', async () => {
  await world.withWorker({}, async () => {
    const handle = await world.client.workflow.start(fanoutMessages.workflowType, fanoutStart('3'));
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
