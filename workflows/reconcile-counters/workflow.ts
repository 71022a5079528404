// Room: the comparison and repair of stored counters. The SQL for it belongs in services/repo; no code of another
// flow may come in.

import { continueAsNew, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../input/check.ts';
import {
  type ReconcileCountersInput,
  type ReconcileCountersResult,
  type ReconcileProgress,
  reconcileInputs,
} from './contract.ts';
import { addFindings, type CounterFindings, noFindings } from './findings.ts';
import * as steps from './steps.ts';

/**
 * Compares the stored counters of each conversation with the rows that they count, and repairs them. Counters may
 * change after their page was compared; the next run finds what is wrong then.
 */
export async function reconcileCounters(
  input?: ReconcileCountersInput,
  soFar?: ReconcileProgress,
): Promise<ReconcileCountersResult> {
  const { dryRun = false } = parseInput(reconcileInputs.start, input ?? {});
  let { after, findings } = parseInput(reconcileInputs.soFar, soFar ?? { after: '', findings: noFindings() });

  for (;;) {
    const pages = await steps.compareCounters({ dryRun, after });
    after = pages.after;
    findings = addFindings(findings, pages.findings);
    setCurrentDetails(
      `${sentenceOf(findings)}${after === '' ? '.' : ` so far, up to conversation ${after}.`}`,
    );
    if (after === '') return { ...findings, dryRun };
    if (workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof reconcileCounters>(input, { after, findings });
    }
  }
}

function sentenceOf({ checked, wrong, mended, unfinishedGroups = 0 }: CounterFindings): string {
  const kinds = Object.entries(wrong).filter(([, count]) => count > 0);
  const found = kinds.length === 0 ? 'nothing wrong' : kinds.map(([kind, n]) => `${kind} ${n}`).join(', ');
  const unfinished = unfinishedGroups === 0 ? '' : `; ${unfinishedGroups} abandoned groups`;
  return `${checked} conversations compared: ${found}; ${mended} repaired${unfinished}`;
}
