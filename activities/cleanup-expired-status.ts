import { Context } from '@temporalio/activity';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { GroupCommit } from '../lib/kafka/group-commit.ts';
import type { CleanupProgress } from '../workflows/cleanup-expired-status/contract.ts';
import { publishOffline } from './offline-events.ts';
import { orFailure } from './outcome.ts';

/** Pages per activity; between two activities the flow can show its progress. */
const pagesPerCall = 20;
const sessionsPerPage = 500;

/** The step of cleanupExpiredStatus. */
export function createCleanupExpiredStatusActivities(deps: {
  repo: RepoClient;
  produce: GroupCommit['send'];
}) {
  const { repo, produce } = deps;
  return {
    /**
     * Cleans up to 20 pages of sessions. im-repo takes a page's events for published once it is asked for the next
     * page with that page's cursor, so the heartbeat stores the cursor only after the events are in Kafka.
     */
    async cleanUpSessions(input: {
      dryRun: boolean;
      /** 0: im-repo uses its own limit. */
      olderThanMs: number;
      cursor: string;
    }): Promise<CleanupProgress & { waitMs: number }> {
      const { dryRun, olderThanMs } = input;
      const context = Context.current();
      const before = context.info.heartbeatDetails as CleanupProgress | undefined;
      let progress: CleanupProgress = before ?? { cursor: input.cursor, offline: 0, sessionsRemoved: 0 };

      for (let page = 0; page < pagesPerCall; page += 1) {
        context.cancellationSignal.throwIfAborted();
        const { offline, sessionsRemoved, nextCursor, waitMs } = await orFailure(
          repo.presence.cleanupExpiredStatus({
            dryRun,
            olderThanMs,
            limit: sessionsPerPage,
            cursor: progress.cursor,
          }),
        );
        if (waitMs > 0) return { ...progress, waitMs };
        if (!dryRun) await publishOffline(produce, offline);
        progress = {
          cursor: nextCursor,
          offline: progress.offline + offline.length,
          sessionsRemoved: progress.sessionsRemoved + sessionsRemoved,
        };
        if (nextCursor === '') break;
        context.heartbeat(progress);
      }
      return { ...progress, waitMs: 0 };
    },
  };
}
