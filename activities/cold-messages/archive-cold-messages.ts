import { Context } from '@temporalio/activity';
import { chunks } from '../../lib/chunks.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import { orFailure } from '../outcome.ts';
import { withHeartbeat } from './heartbeat.ts';

/** A page ends after this time, so that the flow can show its progress. */
const pageMs = 20_000;
const conversationsPerCall = 500;
const quick = { deadlineMs: 15_000 };
/** For a call that writes objects, or deletes many rows. */
const slow = { deadlineMs: 60_000 };

type Which = { before: number; keepNewest: number; conversationId: string };

/** The steps of archiveColdMessages. All may be repeated: what was archived or deleted before is not found again. */
export function createArchiveColdMessagesActivities({ repo }: { repo: RepoClient }) {
  const find = (which: Which, afterConversationId: string, count: boolean) =>
    orFailure(repo.archive.findArchivable({ ...which, afterConversationId, count }, slow));

  return {
    readArchiveSettings: () => orFailure(repo.archive.getArchiveSettings({}, quick)),

    /** Counts the messages that are old enough. */
    countArchivable: (which: Which): Promise<{ messages: number }> =>
      withHeartbeat(async () => {
        const context = Context.current();
        let messages = 0;
        let after = '';
        do {
          context.cancellationSignal.throwIfAborted();
          const page = await find(which, after, true);
          messages += page.conversations.reduce((sum, one) => sum + one.messages, 0);
          after = page.nextAfterConversationId;
        } while (after !== '');
        return { messages };
      }),

    /**
     * Archives messages of the next page of conversations. `after` is the cursor of the next page, or the same as before
     * if this page is not done yet. A bucket where somebody else is at work is left to them.
     */
    archivePage: ({ after, ...which }: Which & { after: string }) =>
      withHeartbeat(async () => {
        const context = Context.current();
        const until = Date.now() + pageMs;
        const done = { archived: 0, objects: 0, bytes: 0 };
        const { conversations, nextAfterConversationId } = await find(which, after, false);
        const buckets = Map.groupBy(conversations, ({ bucket }) => bucket);
        for (const some of buckets.values()) {
          const ids = some.map(({ conversationId }) => conversationId);
          for (const conversationIds of chunks(ids, conversationsPerCall)) {
            for (let more = true; more; ) {
              context.cancellationSignal.throwIfAborted();
              if (Date.now() > until) return { ...done, after, more: true };
              const part = await orFailure(repo.archive.archiveMessages({ ...which, conversationIds }, slow));
              done.archived += part.messages;
              done.objects += part.objects;
              done.bytes += part.bytes;
              more = part.more && !part.busy;
            }
          }
        }
        return { ...done, after: nextAfterConversationId, more: nextAfterConversationId !== '' };
      }),

    /** Deletes archived messages from the database. */
    deleteArchivedPage: (which: { archivedBefore: number; conversationId: string }) =>
      withHeartbeat(async () => {
        const context = Context.current();
        const until = Date.now() + pageMs;
        const done = { deleted: 0, kept: 0 };
        for (;;) {
          context.cancellationSignal.throwIfAborted();
          const part = await orFailure(repo.archive.deleteArchivedMessages(which, slow));
          done.deleted += part.deleted;
          done.kept += part.kept;
          if (!part.more) return { ...done, more: false };
          if (Date.now() > until) return { ...done, more: true };
        }
      }),
  };
}
