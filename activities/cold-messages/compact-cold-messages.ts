import { Context } from '@temporalio/activity';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import { orFailure } from '../outcome.ts';
import { withHeartbeat } from './heartbeat.ts';

/** A page ends after this time, so that the flow can show its progress. */
const pageMs = 20_000;
const deadline = { deadlineMs: 60_000 };

/** The step of compactColdMessages. It may be repeated: an object that was rewritten is not found again. */
export function createCompactColdMessagesActivities({ repo }: { repo: RepoClient }) {
  return {
    /** Rewrites the objects after `after`; the next `after` is empty when there are no more. */
    compactPage: (which: { before: number; after: string; conversationId: string; userId: string }) =>
      withHeartbeat(async () => {
        const context = Context.current();
        const until = Date.now() + pageMs;
        const done = { enabled: true, after: which.after, objects: 0, messages: 0, skipped: 0 };
        const { enabled } = await orFailure(repo.archive.getArchiveSettings({}, deadline));
        if (!enabled) return { ...done, enabled, after: '' };
        for (;;) {
          context.cancellationSignal.throwIfAborted();
          const { conversationId, userId } = which;
          const part = await orFailure(
            repo.archive.compactArchive(
              { changedBefore: which.before, afterObjectId: done.after, conversationId, userId },
              deadline,
            ),
          );
          done.after = part.objectId;
          if (part.objectId === '') return done;
          if (part.busy) done.skipped += 1;
          else done.objects += 1;
          done.messages += part.messages;
          if (Date.now() > until) return done;
        }
      }),
  };
}
