import { Context } from '@temporalio/activity';
import type { RepoClient } from '../lib/grpc/clients.ts';
import { createEraseUserActivities } from './erase-user.ts';
import { orFailure } from './outcome.ts';

const deadline = { deadlineMs: 10_000 };
const guestsPerPage = 100;

/** The steps of purgeGuests, which runs the steps of eraseUser for each guest. */
export function createPurgeGuestsActivities({ repo }: { repo: RepoClient }) {
  const steps = createEraseUserActivities({ repo });

  /** False if the guest has come back, or registered, since the page was read. */
  async function eraseGuest(userId: string, idleBefore: number): Promise<boolean> {
    const { closed } = await orFailure(
      repo.users.closeAccount({ userId, idleGuestBefore: idleBefore }, deadline),
    );
    if (!closed) return false;
    while ((await steps.endRelationships({ userId })).more) Context.current().heartbeat();
    while ((await steps.eraseRequestTexts({ userId })).more) Context.current().heartbeat();
    while ((await steps.leaveConversations({ userId })).more) Context.current().heartbeat();
    await steps.redactMessages({ userId });
    return true;
  }

  return {
    /** A page of guests who have not been active since `idleBefore` (Unix milliseconds). */
    findIdleGuests: (input: {
      idleBefore: number;
      cursor: string;
    }): Promise<{ userIds: string[]; nextCursor: string }> =>
      orFailure(repo.users.listIdleGuests({ ...input, limit: guestsPerPage }, deadline)),

    /** Erases the guests of a page one by one. After a crash it starts the page again and skips erased guests. */
    async eraseGuests(input: { userIds: string[]; idleBefore: number }): Promise<{ erased: number }> {
      const context = Context.current();
      let erased = 0;
      for (const userId of input.userIds) {
        context.cancellationSignal.throwIfAborted();
        if (await eraseGuest(userId, input.idleBefore)) erased += 1;
        context.heartbeat();
      }
      return { erased };
    },
  };
}
