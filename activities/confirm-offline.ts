import type { RepoClient } from '../lib/grpc/clients.ts';
import type { GroupCommit } from '../lib/kafka/group-commit.ts';
import type { DisconnectedUser } from '../workflows/confirm-offline/contract.ts';
import { tellOffline } from './offline-events.ts';
import { orFailure } from './outcome.ts';

/** The step of confirmOffline. */
export function createConfirmOfflineActivities(deps: { repo: RepoClient; produce: GroupCommit['send'] }) {
  const { repo, produce } = deps;
  return {
    /**
     * Declares those offline who have not come back since they left, and tells of them. `waitMs`: Redis can't say
     * yet, ask again then. Asked again it answers the same, so a crash in between loses no event.
     */
    async confirmUsersOffline(input: {
      users: DisconnectedUser[];
    }): Promise<{ offline: number; waitMs: number }> {
      const { offline, waitMs } = await orFailure(repo.presence.confirmOffline(input));
      await tellOffline(produce, offline);
      return { offline: offline.length, waitMs };
    },
  };
}
