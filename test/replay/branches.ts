/** Every branch that a flow can take, played on a server so that its history can be recorded. */

import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import { friendRequestStatus } from '../../lib/domain/enumerations.ts';
import type { Refusal } from '../../workflows/contracts/refusal.ts';
import {
  type CreateGroupArgs,
  createGroup,
  createGroupId,
  createGroupStart,
} from '../../workflows/create-group/contract.ts';
import { fanoutId, fanoutMessages, fanoutStart } from '../../workflows/fanout-messages/contract.ts';
import { friendRequestId } from '../../workflows/friend-request/contract.ts';
import { eventually } from '../support/eventually.ts';
import { createFriendCalls } from '../support/flows/friend-calls.ts';
import { createFriendRows, type FriendRows } from '../support/flows/friend-rows.ts';
import type { Branch } from './branch.ts';
import { jobBranches } from './job-branches.ts';
import { memberBranches } from './member-branches.ts';
import { presenceBranches } from './presence-branches.ts';

export const branches: Branch[] = [
  friends('accepted', async ({ request, decide }) => {
    await request('1');
    await decide('2', 'r1', 'accept');
  }),
  friends('rejected', async ({ request, decide }) => {
    await request('1');
    await decide('2', 'r1', 'reject');
  }),
  friends('withdrawn', async ({ request, withdraw }) => {
    await request('1');
    await withdraw('1', 'r1');
  }),
  friends('both-asked', async ({ request }) => {
    await request('1');
    await request('2');
  }),
  friends('asked-twice', async ({ request, withdraw }) => {
    await request('1');
    await request('1');
    await withdraw('1', 'r1');
  }),
  friends('refused', async ({ request, repo }) => {
    repo.friends = true;
    await request('1');
  }),
  friends('asked-too-soon', async ({ request, repo }) => {
    repo.coolingUntil = 1_800_000_000_000;
    await request('1');
  }),
  friends('decided-by-the-wrong-one', async ({ request, decide }) => {
    await request('1');
    await decide('1', 'r1', 'accept');
    await decide('2', 'r1', 'reject');
  }),
  friends('blocked-meanwhile', async ({ request, decide, repo }) => {
    await request('1');
    const [row] = repo.rows;
    if (row) row.status = friendRequestStatus.rejected;
    await decide('2', 'r1', 'accept');
  }),
  friends('decided-after-it-was-gone', async ({ request, decide, lose }) => {
    await request('1');
    await lose();
    await decide('2', 'r1', 'accept');
  }),
  friends('resumed-then-withdrawn', async ({ request, decide, withdraw, lose }) => {
    await request('1');
    await lose();
    await decide('1', 'r1', 'accept');
    await withdraw('1', 'r1');
  }),
  friends('ran-out-unwatched', async ({ request, decide, repo, lose }) => {
    await request('1');
    await lose();
    const [row] = repo.rows;
    if (row) row.status = friendRequestStatus.expired;
    await decide('2', 'r1', 'accept');
  }),
  friends('repo-away-for-long', async ({ request, decide, repo }) => {
    await request('1');
    repo.failuresToOpen = 3;
    await decide('2', 'r1', 'accept');
  }),
  friends(
    'expired',
    async ({ request }) => {
      await request('1');
    },
    'jumping',
  ),

  group('created', 3, {}),
  group('created-in-batches', 1000, {}),
  group('refused', 3, { checkMembers: refuse('BLOCKED') }),
  group('some-refused', 1000, {
    addFirstMembers: async ({ userIds }) => ({ ok: true, refused: userIds.slice(0, 1) }),
  }),
  group('with-kept-texts', 3, {}),
  group('undone', 3, { addFirstMembers: refuse('GROUP_FULL') }),
  {
    name: 'create-group.cancelled',
    workflowId: createGroupId('g-cancelled'),
    async play(temporal) {
      const steps = groupSteps({
        addFirstMembers: async () => {
          throw new Error('im-repo is away');
        },
      });
      await temporal.withWorker(steps, async () => {
        const { workflowIdConflictPolicy: _, ...start } = createGroupStart(groupArgs('cancelled', 3));
        const handle = await temporal.client.workflow.start(createGroup.workflowType, start);
        await eventually(async () => (await handle.fetchHistory()).events?.length !== 2);
        await handle.cancel();
        await handle.result().catch(() => undefined);
      });
    },
  },

  fanout('woken-again', [{ done: 1, more: false }], async ({ wake, runs }) => {
    await wake();
    await eventually(() => runs() === 1);
    await wake();
    await eventually(() => runs() >= 2);
  }),
  fanout(
    'silent-at-last',
    [
      { done: 1, more: true },
      { done: 2, more: false },
    ],
    async ({ wake, result }) => {
      await wake();
      await result();
    },
    'jumping',
  ),

  ...presenceBranches,
  ...memberBranches,
  ...jobBranches,
];

type FriendScene = ReturnType<typeof createFriendCalls> & { repo: FriendRows; lose(): Promise<void> };

function friends(name: string, act: (scene: FriendScene) => Promise<void>, clock?: Branch['clock']): Branch {
  const workflowId = friendRequestId('1', '2');
  return {
    name: `friend-request.${name}`,
    ...(clock ? { clock } : {}),
    workflowId,
    async play(temporal) {
      const repo = createFriendRows({
        now: () => (clock ? temporal.environment.currentTimeMs() : Date.now()),
        ttlMs: 30 * 86_400_000,
      });
      const handle = temporal.client.workflow.getHandle(workflowId);
      const lose = async () => {
        await handle.terminate('lost');
      };
      await temporal.withWorker(repo.activities, async () => {
        await act({ ...createFriendCalls(temporal.client, ['1', '2']), repo, lose });
        await handle.result();
      });
    },
  };
}

function group(name: string, members: number, instead: Partial<Activities>): Branch {
  return {
    name: `create-group.${name}`,
    workflowId: createGroupId(`g-${name}`),
    async play(temporal) {
      await temporal.withWorker(groupSteps(instead), () =>
        temporal.client.workflow.executeUpdateWithStart(createGroup.result, {
          startWorkflowOperation: new WithStartWorkflowOperation(
            createGroup.workflowType,
            createGroupStart(groupArgs(name, members)),
          ),
        }),
      );
    },
  };
}

function groupSteps(instead: Partial<Activities>): Partial<Activities> {
  const done = async () => ({ ok: true as const });
  return {
    checkMembers: done,
    createHiddenGroup: done,
    addFirstMembers: done,
    activateGroup: done,
    discardGroup: async () => undefined,
    ...instead,
  };
}

const groupArgs = (name: string, members: number): CreateGroupArgs => ({
  conversationId: `g-${name}`,
  ownerId: '1',
  memberIds: Array.from({ length: members }, (_, index) => String(index + 2)),
  ...(name === 'with-kept-texts' ? { textsId: '77' } : { name: 'a group', avatarUrl: '', description: '' }),
  maxMembers: 2000,
});

function refuse(code: Refusal['code']) {
  return async (): Promise<Refusal> => ({ ok: false, code, message: code });
}

type FanoutScene = { wake(): Promise<unknown>; runs(): number; result(): Promise<unknown> };

function fanout(
  name: string,
  answers: Awaited<ReturnType<Activities['streamFanout']>>[],
  act: (scene: FanoutScene) => Promise<void>,
  clock?: Branch['clock'],
): Branch {
  const conversationId = `c-${name}`;
  return {
    name: `fanout-messages.${name}`,
    ...(clock ? { clock } : {}),
    workflowId: fanoutId(conversationId),
    async play(temporal) {
      let runs = 0;
      const streamFanout = async () =>
        answers[Math.min(runs++, answers.length - 1)] ?? { done: 0, more: false };
      const handle = temporal.client.workflow.getHandle(fanoutId(conversationId));
      await temporal.withWorker({ streamFanout }, async () => {
        await act({
          wake: () =>
            temporal.client.workflow.signalWithStart(fanoutMessages.workflowType, {
              ...fanoutStart(conversationId),
              signal: fanoutMessages.wake,
            }),
          runs: () => runs,
          result: () => handle.result(),
        });
        // The recording includes two activities and the wait after them.
        await eventually(async () => {
          const { events } = await handle.fetchHistory();
          return events?.at(-1)?.workflowTaskScheduledEventAttributes == null;
        });
      });
    },
  };
}
