import { Context } from '@temporalio/activity';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { GroupCommit } from '../lib/kafka/group-commit.ts';
import type { CleanupProgress } from '../workflows/cleanup-expired-status/contract.ts';
import { tellOffline } from './offline-events.ts';
import { orFailure } from './outcome.ts';

/** Of one activity; after them the flow shows how far it is. */
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
     * Some pages of the clean-up. A page counts as told once the next one is asked for with its cursor, so the cursor
     * is kept in the heartbeat only after the page's events are in Kafka.
     */
    async cleanUpSessions(input: {
      dryRun: boolean;
      /** 0: im-repo's own measure. */
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
        if (!dryRun) await tellOffline(produce, offline);
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
