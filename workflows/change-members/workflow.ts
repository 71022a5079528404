// Room: who belongs to a group changes: adding, removing, leaving, dissolving, handing over. What decides is in
// services/repo; nothing of another flow may come in.

import {
  allHandlersFinished,
  CancellationScope,
  condition,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { Refusal } from '../contracts/refusal.ts';
import { refusalOf, refusalOfAny, refuseStart } from '../input/check.ts';
import {
  type ChangeMembersArgs,
  type ChangeMembersResult,
  changeMembersInput,
  changeMembers as contract,
  type MemberChange,
} from './contract.ts';
import * as steps from './steps.ts';

/**
 * A change of who belongs to a group. im-repo decides and carries it out in one transaction under the group's lock,
 * all of it or nothing, and once for each name; this flow makes sure that what was begun is finished and that whoever
 * asks again with the same key gets the same answer.
 */
export async function changeMembers(args: ChangeMembersArgs): Promise<ChangeMembersResult> {
  const wrong = refusalOf(changeMembersInput, args);
  if (wrong) throw await refuseStart(wrong, [contract.result]);

  let outcome: ChangeMembersResult | undefined;
  setHandler(contract.result, async (...given: unknown[]) => {
    const refusal = refusalOfAny(given);
    if (refusal) return refusal;
    await CancellationScope.nonCancellable(() => condition(() => outcome !== undefined));
    return outcome ?? cancelled;
  });

  try {
    setCurrentDetails(`${doing(args.change)}.`);
    outcome = await steps.changeMembers(args);
  } finally {
    outcome ??= cancelled;
    setCurrentDetails(outcome.ok ? `${doing(args.change)}: done.` : `Nothing was changed: ${outcome.code}.`);
    // Also after a cancellation: whoever waits is told.
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
  return outcome;
}

const cancelled: Refusal = {
  ok: false,
  code: 'UNAVAILABLE',
  message: 'The change of the group was stopped. Try again.',
};

function doing(change: MemberChange): string {
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
