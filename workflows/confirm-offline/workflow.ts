// Room: the wait until somebody who left counts as offline. Who is online is for services/repo to say; nothing of
// another flow may come in.

import { continueAsNew, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../input/check.ts';
import { type ConfirmOfflineArgs, type ConfirmOfflineResult, confirmOfflineInput } from './contract.ts';
import * as steps from './steps.ts';

/**
 * Some users' last sessions closed: after a while those who have not come back count as offline, and their friends
 * are told, once. Who is gone is Redis' to say; this flow makes sure that it is asked.
 */
export async function confirmOffline(input: ConfirmOfflineArgs): Promise<ConfirmOfflineResult> {
  const { users, disconnectedAt, confirmMs } = parseInput(confirmOfflineInput, input);
  let waitMs = Math.min(disconnectedAt + confirmMs - Date.now(), confirmMs);
  let summary = 'until those who left count as offline';

  for (;;) {
    if (waitMs > 0) {
      setCurrentDetails(`${users.length} users left. Who has not come back by ${at(waitMs)} is offline.`);
      await sleep(waitMs, { summary });
    }
    setCurrentDetails(`Asking which of ${users.length} users have not come back.`);
    const answer = await steps.confirmUsersOffline({ users });
    if (answer.waitMs === 0) {
      setCurrentDetails(`${answer.offline} of ${users.length} users went offline.`);
      return { offline: answer.offline };
    }
    waitMs = answer.waitMs;
    summary = 'until Redis knows again who is online';
    if (workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof confirmOffline>({ users, disconnectedAt: Date.now(), confirmMs: waitMs });
    }
  }
}

const at = (waitMs: number): string => new Date(Date.now() + waitMs).toISOString();
