import { Context } from '@temporalio/activity';
import type { RepoClient } from '../lib/grpc/clients.ts';
import { orFailure } from './outcome.ts';

/** Steps per activity; between two activities the flow can show its progress. */
const stepsPerCall = 20;
const messagesPerStep = 5000;
/** A step takes seconds. */
const deadline = { deadlineMs: 60_000 };

/** The cursor is empty before the first step and after the last. */
export type IndexedSteps = { cursor: string; indexed: number; conversations: number };

/** The step of reindex. */
export function createReindexActivities({ repo }: { repo: RepoClient }) {
  return {
    /** Indexes up to 100,000 messages. A step may be repeated. */
    async rebuildIndex(input: { cursor: string; conversationId?: string }): Promise<IndexedSteps> {
      const context = Context.current();
      const before = context.info.heartbeatDetails as IndexedSteps | undefined;
      let { cursor, indexed, conversations } = before ?? {
        cursor: input.cursor,
        indexed: 0,
        conversations: 0,
      };
      for (let step = 0; step < stepsPerCall; step += 1) {
        context.cancellationSignal.throwIfAborted();
        const done = await orFailure(
          repo.search.reindexMessages(
            { cursor, limit: messagesPerStep, conversationId: input.conversationId },
            deadline,
          ),
        );
        cursor = done.nextCursor;
        indexed += done.indexed;
        conversations += done.conversations;
        if (cursor === '') break;
        context.heartbeat({ cursor, indexed, conversations });
      }
      return { cursor, indexed, conversations };
    },
  };
}
