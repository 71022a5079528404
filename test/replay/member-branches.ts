import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import {
  type ChangeMembersArgs,
  type ChangeMembersResult,
  changeMembers,
  changeMembersStart,
  type MemberChange,
} from '../../workflows/change-members/contract.ts';
import { eventually } from '../support/eventually.ts';
import type { Branch } from './branch.ts';

const adding: MemberChange = { kind: 'add', userIds: ['2', '3'] };

export const memberBranches: Branch[] = [
  change('added', adding, [{ ok: true, added: ['2'], alreadyMembers: ['3'] }]),
  change('some-refused', adding, [{ ok: true, added: ['2'], alreadyMembers: [], refused: ['3'] }]),
  change('removed', { kind: 'remove', userIds: ['2'] }, [{ ok: true, removed: ['2'] }]),
  change('dissolved', { kind: 'dissolve' }, [{ ok: true }]),
  change('handed-over', { kind: 'transfer', userId: '2' }, [{ ok: true }]),
  change('refused', adding, [{ ok: false, code: 'GROUP_FULL', message: 'full' }]),
  change('tried-again-by-the-flow', adding, ['away', 'away', 'away', { ok: true, added: ['2', '3'] }]),
  change('repo-away-for-long', adding, ['away', 'away', 'away', { ok: true, added: ['2', '3'] }]),
  {
    name: 'change-members.cancelled',
    workflowId: changeMembersStart(argsOf('cancelled', adding)).workflowId,
    async play(temporal) {
      const { workflowIdConflictPolicy: _, ...start } = changeMembersStart(argsOf('cancelled', adding));
      await temporal.withWorker(answering(['away']), async () => {
        const handle = await temporal.client.workflow.start(changeMembers.workflowType, start);
        await eventually(async () => (await handle.fetchHistory()).events?.length !== 2);
        await handle.cancel();
        await handle.result().catch(() => undefined);
      });
    },
  },
];

function argsOf(name: string, members: MemberChange): ChangeMembersArgs {
  return { conversationId: 'g1', key: name, actorId: '1', change: members };
}

/** im-repo's answers in turn; the last one for ever. */
function answering(answers: (ChangeMembersResult | 'away')[]): Partial<Activities> {
  let asked = 0;
  return {
    async changeMembers() {
      const answer = answers[Math.min(asked++, answers.length - 1)];
      if (answer === undefined || answer === 'away') throw new Error('im-repo is away');
      return answer;
    },
  };
}

function change(name: string, members: MemberChange, answers: (ChangeMembersResult | 'away')[]): Branch {
  const args = argsOf(name, members);
  return {
    name: `change-members.${name}`,
    workflowId: changeMembersStart(args).workflowId,
    async play(temporal) {
      await temporal.withWorker(answering(answers), () =>
        temporal.client.workflow.executeUpdateWithStart(changeMembers.result, {
          updateId: args.key,
          startWorkflowOperation: new WithStartWorkflowOperation(
            changeMembers.workflowType,
            changeMembersStart(args),
          ),
        }),
      );
    },
  };
}
