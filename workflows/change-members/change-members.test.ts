import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import {
  type ChangeMembersArgs,
  type ChangeMembersResult,
  changeMembers,
  changeMembersStart,
  type MemberChange,
} from './contract.ts';

let temporal: TestTemporal;
let lastKey = 0;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

const changing = (change: MemberChange): ChangeMembersArgs => ({
  conversationId: 'g1',
  key: `k${++lastKey}`,
  actorId: '1',
  change,
});
const adding = () => changing({ kind: 'add', userIds: ['2', '3'] });

/** Sends a change as logic does: by update-with-start, with the change's key as update id. */
const change = (args: ChangeMembersArgs, updateId = args.key): Promise<ChangeMembersResult> =>
  temporal.client.workflow.executeUpdateWithStart(changeMembers.result, {
    updateId,
    startWorkflowOperation: new WithStartWorkflowOperation(
      changeMembers.workflowType,
      changeMembersStart(args),
    ),
  });

/** A stub of im-repo that counts the changes. */
function counted(step: (args: ChangeMembersArgs) => ChangeMembersResult) {
  const calls: ChangeMembersArgs[] = [];
  const steps: Partial<Activities> = {
    async changeMembers(args) {
      calls.push(args);
      return step(args);
    },
  };
  return { calls, steps };
}

test('every kind of change is one step, and its outcome is the answer', async () => {
  const answers: Record<string, ChangeMembersResult> = {
    add: { ok: true, added: ['2'], alreadyMembers: ['3'] },
    remove: { ok: true, removed: ['2'] },
    dissolve: { ok: true },
    transfer: { ok: true },
  };
  const { calls, steps } = counted((args) => answers[args.change.kind] ?? { ok: true });
  const all = [
    adding(),
    changing({ kind: 'remove', userIds: ['2'] }),
    changing({ kind: 'transfer', userId: '2' }),
    changing({ kind: 'dissolve' }),
  ];
  await temporal.withWorker(steps, async () => {
    for (const args of all) assert.deepEqual(await change(args), answers[args.change.kind]);
  });
  assert.deepEqual(calls, all);
});

test('a refusal is the answer, and no failure', async () => {
  const { steps } = counted(() => ({ ok: false, code: 'GROUP_FULL', message: 'full' }));
  const args = adding();
  await temporal.withWorker(steps, async () => {
    const result = await change(args);
    assert.equal(!result.ok && result.code, 'GROUP_FULL');
    const { workflowId } = changeMembersStart(args);
    assert.equal((await temporal.client.workflow.getHandle(workflowId).describe()).status.name, 'COMPLETED');
  });
});

test('twenty callers at once with the same key make one change, and all hear its outcome', async () => {
  const { calls, steps } = counted(() => ({ ok: true, added: ['2', '3'], alreadyMembers: [] }));
  const args = adding();
  const results = await temporal.withWorker(steps, () =>
    Promise.all(Array.from({ length: 20 }, () => change(args))),
  );
  assert.ok(results.every((result) => result.ok && result.added?.length === 2));
  assert.equal(calls.length, 1);
});

test('if im-repo is down, the change is made once it is back, with or without a waiting caller', async () => {
  let failures = 5;
  const { calls, steps } = counted(() => {
    if (failures-- > 0) throw new Error('im-repo is away');
    return { ok: true, removed: ['2'] };
  });
  const { workflowIdConflictPolicy: _, ...start } = changeMembersStart(
    changing({ kind: 'remove', userIds: ['2'] }),
  );
  const result = await temporal.withWorker(steps, () =>
    temporal.client.workflow.execute(changeMembers.workflowType, start),
  );
  assert.deepEqual(result, { ok: true, removed: ['2'] });
  assert.equal(calls.length, 6);
});

test('callers of a cancelled change get an error', async () => {
  let reached = () => {};
  const atStep = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const { steps } = counted(() => {
    reached();
    throw new Error('im-repo is away');
  });
  const args = adding();
  await temporal.withWorker(steps, async () => {
    const answer = change(args);
    await atStep;
    await temporal.client.workflow.getHandle(changeMembersStart(args).workflowId).cancel();
    const result = await answer;
    assert.equal(!result.ok && result.code, 'UNAVAILABLE');
  });
});
