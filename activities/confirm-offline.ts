import { Context } from '@temporalio/activity';
import type { PresenceTransition } from '../lib/gen/im_repo/v1/online_status.ts';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { GroupCommit } from '../lib/kafka/group-commit.ts';
import type { UserEvent } from '../lib/kafka/records.ts';
import { topics } from '../lib/kafka/topics.ts';
import type { CleanupProgress, DisconnectedUser } from '../workflows/contracts.ts';
import { orFailure } from './outcome.ts';

/** Of the clean-up, in one activity; after them the flow shows how far it is. */
const pagesACall = 20;
const sessionsAPage = 500;

/** The steps of confirmOffline and cleanupExpiredStatus. */
export function createPresenceActivities(deps: { repo: RepoClient; produce: GroupCommit['send'] }) {
  const { repo, produce } = deps;

  async function tell(users: readonly PresenceTransition[]): Promise<void> {
    await Promise.all(
      users.map((user) => produce(topics.userEvents, user.userId, JSON.stringify(offlineEvent(user)))),
    );
  }

  return {
    /**
     * Declares those offline who have not come back since they left, and tells of them. `waitMs`: Redis can't say
     * yet, ask again then. Asked again it answers the same, so a crash in between loses no event.
     */
    async confirmUsersOffline(input: {
      users: DisconnectedUser[];
    }): Promise<{ offline: number; waitMs: number }> {
      const { offline, waitMs } = await orFailure(repo.presence.confirmOffline(input));
      await tell(offline);
      return { offline: offline.length, waitMs };
    },

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

      for (let page = 0; page < pagesACall; page += 1) {
        context.cancellationSignal.throwIfAborted();
        const { offline, sessionsRemoved, nextCursor, waitMs } = await orFailure(
          repo.presence.cleanupExpiredStatus({
            dryRun,
            olderThanMs,
            limit: sessionsAPage,
            cursor: progress.cursor,
          }),
        );
        if (waitMs > 0) return { ...progress, waitMs };
        if (!dryRun) await tell(offline);
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

function offlineEvent({ userId, epoch, lastActiveAt }: PresenceTransition): UserEvent {
  return {
    // Whoever finds out that somebody is gone, and however often: it is one event.
    event_id: `user.offline/${userId}/${epoch}`,
    type: 'user.offline',
    occurred_at: Date.now(),
    actor_id: userId,
    user_id: userId,
    epoch,
    last_active_at: lastActiveAt,
  };
}
