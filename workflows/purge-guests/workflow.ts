// Room: the erasure of idle guests, page by page. The code that erases an account is in activities/; no code of
// another flow may come in.

import { continueAsNew, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../input/check.ts';
import {
  type PurgeGuestsInput,
  type PurgeGuestsResult,
  type PurgeProgress,
  purgeGuestsInputs,
} from './contract.ts';
import * as steps from './steps.ts';

const sevenDaysMs = 7 * 24 * 3_600_000;

/**
 * Erases the guests who have been idle for long enough. The history keeps the ids of a page until all its guests are
 * erased, so that no crash leaves a guest half erased.
 */
export async function purgeGuests(
  input?: PurgeGuestsInput,
  soFar?: PurgeProgress,
): Promise<PurgeGuestsResult> {
  const { dryRun = false, idleMs = sevenDaysMs } = parseInput(purgeGuestsInputs.start, input ?? {});
  const progress = parseInput(
    purgeGuestsInputs.soFar,
    soFar ?? { idleBefore: Date.now() - idleMs, cursor: '', found: 0, erased: 0 },
  );
  const { idleBefore } = progress;
  let { cursor, found, erased } = progress;

  for (;;) {
    const page = await steps.findIdleGuests({ idleBefore, cursor });
    found += page.userIds.length;
    if (!dryRun && page.userIds.length > 0) {
      erased += (await steps.eraseGuests({ userIds: page.userIds, idleBefore })).erased;
    }
    cursor = page.nextCursor;
    const sum = dryRun
      ? `${found} guests would be erased`
      : `${erased} guests were erased, ${found - erased} had come back`;
    setCurrentDetails(`${sum}${cursor === '' ? '.' : ' so far.'}`);
    if (cursor === '') return { found, erased, dryRun };
    if (workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof purgeGuests>(input, { idleBefore, cursor, found, erased });
    }
  }
}
