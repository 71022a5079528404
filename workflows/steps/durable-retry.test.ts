import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Activities } from '../../activities/index.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createRealTimeTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { createGroup, createGroupStart } from '../create-group/contract.ts';

let temporal: TestTemporal;

before(async () => {
  temporal = await createRealTimeTestTemporal();
});
after(() => temporal?.close());

test('while a step is retried, the flow’s details show the step and the error, and afterwards the earlier details', async () => {
  let away = true;
  const done = async () => ({ ok: true as const });
  const steps: Partial<Activities> = {
    checkMembers: done,
    createHiddenGroup: async () => {
      if (away) throw new Error('im-repo is away');
      return { ok: true };
    },
    addFirstMembers: done,
    activateGroup: done,
    discardGroup: async () => undefined,
  };
  const { workflowIdConflictPolicy: _, ...start } = createGroupStart({
    conversationId: '9',
    ownerId: '1',
    memberIds: ['2'],
    name: '',
    avatarUrl: '',
    description: '',
    maxMembers: 10,
  });
  await temporal.withWorker(steps, async () => {
    const handle = await temporal.client.workflow.start(createGroup.workflowType, start);
    const details = async () => {
      const metadata = await handle.query<{ currentDetails?: string }, []>('__temporal_workflow_metadata');
      return metadata.currentDetails ?? '';
    };
    const failing = /"store the group with its owner" failed and is tried again at .+Z: im-repo is away$/;
    await eventually(async () => failing.test(await details()));
    const first = await details();
    // The details name the failure once, however often the step fails.
    await eventually(async () => (await details()) !== first);
    assert.equal((await details()).match(/failed/g)?.length, 1);
    away = false;
    assert.deepEqual(await handle.result(), { ok: true, conversationId: '9' });
    assert.equal(await details(), 'The group stands.');
  });
});
