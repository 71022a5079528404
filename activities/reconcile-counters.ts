import { Context, getClient } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/common';
import { codeOf } from '../lib/errors.ts';
import type { UnfinishedGroup, WrongConversation } from '../lib/gen/im_repo/v1/conversation.ts';
import type { RepoClient } from '../lib/grpc/clients.ts';
import { createGroupId } from '../workflows/create-group/contract.ts';
import { addFindings, type CounterFindings, noFindings } from '../workflows/reconcile-counters/findings.ts';
import { orFailure } from './outcome.ts';

/** Pages per activity; between two activities the flow can show its progress. */
const pagesPerCall = 20;
const conversationsPerPage = 200;
/** A page counts members and recalled messages, which takes seconds for large conversations. */
const pageDeadline = { deadlineMs: 30_000 };

/** A creation takes seconds; a longer one has an open run, which waits for an unavailable service. */
const abandonedAfterMs = 3_600_000;

export type ComparedPages = {
  /** The last conversation id that was compared; empty before the first page and after the last. */
  after: string;
  findings: CounterFindings;
};

/** The step of reconcileCounters. */
export function createReconcileCountersActivities({ repo }: { repo: RepoClient }) {
  /** Removes the groups whose creation was abandoned; returns their number. With dryRun it only counts them. */
  async function sweep(unfinished: readonly UnfinishedGroup[], dryRun: boolean): Promise<number> {
    let swept = 0;
    for (const { conversationId, createdAt } of unfinished) {
      if (Date.now() - createdAt < abandonedAfterMs || (await isBeingCreated(conversationId))) continue;
      if (!dryRun && !(await discard(conversationId, createdAt + 1))) continue;
      Context.current().log.warn('the creation of a group was abandoned', {
        conversationId,
        removed: !dryRun,
      });
      swept += 1;
    }
    return swept;
  }

  /** False if the creation has continued since: im-repo decides this under the conversation's lock. */
  async function discard(conversationId: string, begunBefore: number): Promise<boolean> {
    try {
      await repo.conversations.discardConversation({ conversationId, begunBefore }, pageDeadline);
      return true;
    } catch (error) {
      if (codeOf(error) === 'PERMISSION_DENIED') return false;
      return orFailure(Promise.reject(error));
    }
  }

  return {
    /** Compares up to 20 pages of conversations, and repairs their counters unless dryRun. A page can be retried. */
    async compareCounters(input: { dryRun: boolean; after: string }): Promise<ComparedPages> {
      const context = Context.current();
      const before = context.info.heartbeatDetails as ComparedPages | undefined;
      let pages: ComparedPages = before ?? { after: input.after, findings: noFindings() };

      for (let page = 0; page < pagesPerCall; page += 1) {
        context.cancellationSignal.throwIfAborted();
        const { checked, wrong, unfinished, nextAfterConversationId } = await orFailure(
          repo.conversations.reconcileConversations(
            { afterConversationId: pages.after, limit: conversationsPerPage, mend: !input.dryRun },
            pageDeadline,
          ),
        );
        for (const one of wrong) context.log.warn('counters were wrong', { ...one });
        pages = {
          after: nextAfterConversationId,
          findings: addFindings(pages.findings, {
            ...summaryOf(wrong),
            checked,
            unfinishedGroups: await sweep(unfinished, input.dryRun),
          }),
        };
        if (pages.after === '') break;
        context.heartbeat(pages);
      }
      return pages;
    },
  };
}

function summaryOf(wrong: readonly WrongConversation[]): CounterFindings {
  const count = (value: (one: WrongConversation) => number | boolean) =>
    wrong.reduce((sum, one) => sum + Number(value(one)), 0);
  return {
    checked: 0,
    wrong: {
      memberCount: count((one) => one.memberCount),
      head: count((one) => one.head),
      lastMessage: count((one) => one.lastMessage),
      readPointers: count((one) => one.readPointers),
      unread: count((one) => one.unread),
    },
    mended: count((one) => one.mended),
    conversationIds: wrong.map(({ conversationId }) => conversationId),
  };
}

async function isBeingCreated(conversationId: string): Promise<boolean> {
  try {
    const { status } = await getClient().workflow.getHandle(createGroupId(conversationId)).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
