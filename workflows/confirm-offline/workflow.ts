// Room: the wait until a disconnected user counts as offline. services/repo decides who is online; no code of another
// flow may come in.

import { continueAsNew, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../input/check.ts';
import { type ConfirmOfflineArgs, type ConfirmOfflineResult, confirmOfflineInput } from './contract.ts';
import * as steps from './steps.ts';

/**
 * Waits after the last sessions of some users have closed. Users who have not reconnected by then count as offline,
 * and their friends get one event. Redis knows who has reconnected; this flow ensures that Redis is asked.
 */
export async function confirmOffline(input: ConfirmOfflineArgs): Promise<ConfirmOfflineResult> {
  const { users, disconnectedAt, confirmMs } = parseInput(confirmOfflineInput, input);
  let waitMs = Math.min(disconnectedAt + confirmMs - Date.now(), confirmMs);
  let summary = 'until those who left count as offline';

  for (;;) {
    if (waitMs > 0) {
      setCurrentDetails(
        `${users.length} users left. Those who have not reconnected by ${at(waitMs)} go offline.`,
      );
      await sleep(waitMs, { summary });
    }
    setCurrentDetails(`Checking which of ${users.length} users have not reconnected.`);
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
