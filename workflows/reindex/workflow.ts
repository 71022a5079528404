// Room: building the search index anew, step by step. What the index is belongs in services/repo; no code of another
// flow may come in.

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { continueAsNew, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../input/check.ts';
import { type ReindexInput, type ReindexProgress, type ReindexResult, reindexInputs } from './contract.ts';
import * as steps from './steps.ts';

const conversationIdKey = defineSearchAttributeKey('ConversationId', SearchAttributeType.KEYWORD);

/** Builds the search index of all conversations, or of one, anew. A crash repeats the step that it interrupted. */
export async function reindex(input?: ReindexInput, soFar?: ReindexProgress): Promise<ReindexResult> {
  const { conversationId } = parseInput(reindexInputs.start, input ?? {});
  if (conversationId !== undefined)
    upsertSearchAttributes([{ key: conversationIdKey, value: conversationId }]);
  let { cursor, indexed, conversations } = parseInput(
    reindexInputs.soFar,
    soFar ?? { cursor: '', indexed: 0, conversations: 0 },
  );

  for (;;) {
    const done = await steps.rebuildIndex({
      cursor,
      ...(conversationId === undefined ? {} : { conversationId }),
    });
    cursor = done.cursor;
    indexed += done.indexed;
    conversations += done.conversations;
    setCurrentDetails(
      `${indexed} messages of ${conversations} conversations indexed${cursor === '' ? '.' : ` so far, up to ${cursor}.`}`,
    );
    if (cursor === '') return { indexed, conversations };
    if (workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof reindex>(input, { cursor, indexed, conversations });
    }
  }
}
