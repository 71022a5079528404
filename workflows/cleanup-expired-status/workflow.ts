// Room: the removal of sessions that their gateway never closed, because it died. services/repo decides when a
// session is expired; no code of another flow may come in.

import { continueAsNew, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../input/check.ts';
import {
  type CleanupExpiredStatusInput,
  type CleanupExpiredStatusResult,
  type CleanupProgress,
  cleanupInputs,
} from './contract.ts';
import * as steps from './steps.ts';

/**
 * Removes expired sessions: those of dead gateways, and those without a heartbeat for too long. Users without another
 * session go offline, and their friends get an event. Every step is idempotent.
 */
export async function cleanupExpiredStatus(
  input?: CleanupExpiredStatusInput,
  soFar?: CleanupProgress,
): Promise<CleanupExpiredStatusResult> {
  const { dryRun = false, olderThanMs = 0 } = parseInput(cleanupInputs.start, input ?? {});
  let { cursor, offline, sessionsRemoved } = parseInput(
    cleanupInputs.soFar,
    soFar ?? { cursor: '', offline: 0, sessionsRemoved: 0 },
  );

  for (;;) {
    const pages = await steps.cleanUpSessions({ dryRun, olderThanMs, cursor });
    cursor = pages.cursor;
    offline += pages.offline;
    sessionsRemoved += pages.sessionsRemoved;
    const sum = dryRun
      ? `${sessionsRemoved} sessions would be removed, ${offline} users would go offline`
      : `${sessionsRemoved} sessions were removed, ${offline} users went offline`;
    setCurrentDetails(`${sum} so far.`);

    if (pages.waitMs > 0) {
      setCurrentDetails(
        `Redis has lost its data: no user is declared offline until ${at(pages.waitMs)}. ${sum} so far.`,
      );
      await sleep(pages.waitMs, { summary: 'until Redis knows again who is online' });
    } else if (cursor === '') {
      setCurrentDetails(`${sum}.`);
      return { offline, sessionsRemoved, dryRun };
    }
    if (workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof cleanupExpiredStatus>(input, { cursor, offline, sessionsRemoved });
    }
  }
}

const at = (waitMs: number): string => new Date(Date.now() + waitMs).toISOString();
