import type { RepoClient } from '../lib/grpc/clients.ts';
import type { GroupCommit } from '../lib/kafka/group-commit.ts';
import type { DisconnectedUser } from '../workflows/confirm-offline/contract.ts';
import { publishOffline } from './offline-events.ts';
import { orFailure } from './outcome.ts';

/** The step of confirmOffline. */
export function createConfirmOfflineActivities(deps: { repo: RepoClient; produce: GroupCommit['send'] }) {
  const { repo, produce } = deps;
  return {
    /**
     * Marks the users as offline who have not reconnected since they left, and publishes an event for each.
     * `waitMs` above 0: Redis has lost its data and cannot decide yet; call again after this time.
     * im-repo gives the same answer to a repeated call, so a crash between the two steps loses no event.
     */
    async confirmUsersOffline(input: {
      users: DisconnectedUser[];
    }): Promise<{ offline: number; waitMs: number }> {
      const { offline, waitMs } = await orFailure(repo.presence.confirmOffline(input));
      await publishOffline(produce, offline);
      return { offline: offline.length, waitMs };
    },
  };
}
