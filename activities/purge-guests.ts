import { Context } from '@temporalio/activity';
import type { RepoClient } from '../lib/grpc/clients.ts';
import { createEraseUserActivities } from './erase-user.ts';
import { orFailure } from './outcome.ts';

const deadline = { deadlineMs: 10_000 };
const guestsPerPage = 100;

/** The steps of purgeGuests, which erases each guest by the steps of eraseUser. */
export function createPurgeGuestsActivities({ repo }: { repo: RepoClient }) {
  const steps = createEraseUserActivities({ repo });

  /** False when the guest has come back, or registered. */
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
    /** A page of guests whom nobody has seen since a moment. */
    findIdleGuests: (input: {
      idleBefore: number;
      cursor: string;
    }): Promise<{ userIds: string[]; nextCursor: string }> =>
      orFailure(repo.users.listIdleGuests({ ...input, limit: guestsPerPage }, deadline)),

    /** Erases the guests of a page one by one. Again from the beginning after a crash: who is erased stays so. */
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
