// Room: changes of a group's members: adding, removing, leaving, dissolving, transferring the ownership. The
// decisions belong in services/repo; no code of another flow may come in.

import { setCurrentDetails } from '@temporalio/workflow';
import type { Refusal } from '../contracts/refusal.ts';
import { refusalOf, refuseStart } from '../input/check.ts';
import { answerResult } from '../steps/result-update.ts';
import {
  type ChangeMembersArgs,
  type ChangeMembersResult,
  changeMembersInput,
  changeMembers as contract,
  type MemberChange,
} from './contract.ts';
import * as steps from './steps.ts';

/**
 * Changes the members of a group. im-repo decides and writes the whole change in one transaction under the group's
 * lock, once per key. This flow ensures that a change that was started is finished, and that a retry with the same
 * key gets the same answer.
 */
export async function changeMembers(args: ChangeMembersArgs): Promise<ChangeMembersResult> {
  const wrong = refusalOf(changeMembersInput, args);
  if (wrong) throw await refuseStart(wrong, [contract.result]);

  const work = async () => {
    setCurrentDetails(`${progressOf(args.change)}.`);
    return steps.changeMembers(args);
  };
  return answerResult(contract.result, work, stopped, (outcome) =>
    outcome.ok ? `${progressOf(args.change)}: done.` : `Nothing was changed: ${outcome.code}.`,
  );
}

const stopped: Refusal = {
  ok: false,
  code: 'UNAVAILABLE',
  message: 'The change of the group was stopped. Try again.',
};

function progressOf(change: MemberChange): string {
  switch (change.kind) {
    case 'add':
      return `Adding ${change.userIds.length} members`;
    case 'remove':
      return `Removing ${change.userIds.length} members`;
    case 'dissolve':
      return 'Dissolving the group';
    case 'transfer':
      return `Handing the group over to ${change.userId}`;
  }
}
