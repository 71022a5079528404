import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import type { Refusal } from '../contracts/refusal.ts';
import { type CreateGroupArgs, type CreateGroupResult, createGroup, createGroupStart } from './contract.ts';

let temporal: TestTemporal;
let lastGroup = 0;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

const refuse = (code: Refusal['code']) => async (): Promise<Refusal> => ({ ok: false, code, message: code });

/** Steps that all succeed and record their calls. */
function recordedSteps(instead: Partial<Activities> = {}) {
  const taken: string[] = [];
  const step = (name: keyof Activities) => async (input: { userIds?: string[] }) => {
    taken.push(input.userIds ? `${name} ${input.userIds.length}` : name);
    return { ok: true };
  };
  const names = [
    'checkMembers',
    'createHiddenGroup',
    'addFirstMembers',
    'activateGroup',
    'discardGroup',
  ] as const;
  const steps = Object.fromEntries(names.map((name) => [name, step(name)])) as Partial<Activities>;
  return { taken, steps: { ...steps, ...instead } };
}

const group = (members: number): CreateGroupArgs => ({
  conversationId: `g${++lastGroup}`,
  ownerId: '1',
  memberIds: Array.from({ length: members }, (_, index) => String(index + 2)),
  name: 'a group',
  avatarUrl: '',
  description: '',
  maxMembers: 2000,
});

/** Creates a group as logic does: by update-with-start. */
const create = (args: CreateGroupArgs, updateId = 'only'): Promise<CreateGroupResult> =>
  temporal.client.workflow.executeUpdateWithStart(createGroup.result, {
    updateId,
    startWorkflowOperation: new WithStartWorkflowOperation(createGroup.workflowType, createGroupStart(args)),
  });

test('a group is activated after all members are added, in batches of five hundred', async () => {
  const { taken, steps } = recordedSteps();
  const args = group(1000);
  const result = await temporal.withWorker(steps, () => create(args));
  assert.deepEqual(result, { ok: true, conversationId: args.conversationId });
  assert.deepEqual(taken, [
    'checkMembers',
    'createHiddenGroup',
    'addFirstMembers 500',
    'addFirstMembers 500',
    'activateGroup',
  ]);
});

test('users who may not be added are listed, and the others are added', async () => {
  const { steps } = recordedSteps({
    addFirstMembers: async ({ ownerId, userIds }) => ({
      ok: true,
      refused: userIds.filter((id) => ownerId === '1' && (id === '3' || id === '900')),
    }),
  });
  const args = group(1000);
  const result = await temporal.withWorker(steps, () => create(args));
  assert.deepEqual(result, { ok: true, conversationId: args.conversationId, refused: ['3', '900'] });
});

test('a refusal of the members creates nothing', async () => {
  const { taken, steps } = recordedSteps({ checkMembers: refuse('BLOCKED') });
  const result = await temporal.withWorker(steps, () => create(group(3)));
  assert.equal(!result.ok && result.code, 'BLOCKED');
  assert.deepEqual(taken, []);
});

test('a refused step removes what was stored before', async () => {
  const { taken, steps } = recordedSteps({ addFirstMembers: refuse('GROUP_FULL') });
  const result = await temporal.withWorker(steps, () => create(group(3)));
  assert.equal(!result.ok && result.code, 'GROUP_FULL');
  assert.deepEqual(taken, ['checkMembers', 'createHiddenGroup', 'discardGroup']);
});

test('a cancelled creation removes what was stored, and its callers get an error', async () => {
  const args = group(3);
  let reached = () => {};
  const atMembers = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const { taken, steps } = recordedSteps({
    addFirstMembers: async () => {
      reached();
      throw new Error('im-repo is away');
    },
  });
  await temporal.withWorker(steps, async () => {
    const answer = create(args);
    await atMembers;
    await temporal.client.workflow.getHandle(`create-group/${args.conversationId}`).cancel();
    const result = await answer;
    assert.equal(!result.ok && result.code, 'UNAVAILABLE');
  });
  assert.deepEqual(taken, ['checkMembers', 'createHiddenGroup', 'discardGroup']);
});

test('twenty callers at once make one group', async () => {
  const { taken, steps } = recordedSteps();
  const args = group(2);
  const results = await temporal.withWorker(steps, () =>
    Promise.all(Array.from({ length: 20 }, () => create(args))),
  );
  assert.ok(results.every((result) => result.ok));
  assert.equal(taken.filter((step) => step === 'activateGroup').length, 1);
});

test('the group is created even if no caller waits for it', async () => {
  const { taken, steps } = recordedSteps();
  const { workflowIdConflictPolicy: _, ...start } = createGroupStart(group(1));
  const result = await temporal.withWorker(steps, () =>
    temporal.client.workflow.execute(createGroup.workflowType, start),
  );
  assert.equal(result.ok, true);
  assert.equal(taken.at(-1), 'activateGroup');
});
