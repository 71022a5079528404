// Room: the rewriting of objects with archived messages that changed. Reading and writing objects is im-repo's; no code
// of another flow may come in.

import { continueAsNew, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../input/check.ts';
import {
  type CompactColdMessagesInput,
  type CompactColdMessagesResult,
  type CompactProgress,
  compactInputs,
} from './contract.ts';
import * as steps from './steps.ts';

const noStore = 'No cold store is configured, so there is nothing to rewrite: set COLD_URL.';

/** Rewrites every object that has a message which changed before the run began, so that erased texts leave the store. */
export async function compactColdMessages(
  input?: CompactColdMessagesInput,
  soFar?: CompactProgress,
): Promise<CompactColdMessagesResult> {
  const { conversationId = '', userId = '' } = parseInput(compactInputs.start, input ?? {});
  const progress = parseInput(
    compactInputs.soFar,
    soFar ?? { before: Date.now(), after: '', objects: 0, messages: 0, skipped: 0 },
  );
  for (;;) {
    const { before, after } = progress;
    const page = await steps.compactPage({ before, after, conversationId, userId });
    const message = page.enabled ? '' : noStore;
    progress.after = page.after;
    progress.objects += page.objects;
    progress.messages += page.messages;
    progress.skipped += page.skipped;
    const { objects, messages, skipped } = progress;
    setCurrentDetails(message || `${objects} objects were rewritten with ${messages} changed messages.`);
    if (page.after === '') return { message, objects, messages, skipped };
    if (workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof compactColdMessages>(input, progress);
    }
  }
}
