import { Context } from '@temporalio/activity';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { Refusal } from '../workflows/contracts.ts';
import { orFailure, orRefusal } from './outcome.ts';

const deadline = { deadlineMs: 10_000 };
/** Others, and groups, that a step deals with: what a step of some seconds can do. */
const othersAStep = 100;
const groupsAStep = 20;
const guestsAPage = 100;

type Account = { userId: string };

/** The steps of eraseUser and purgeGuests. Each does a page, and finds what was done before done. */
export function createErasureActivities({ repo }: { repo: RepoClient }) {
  const endRelationships = ({ userId }: Account): Promise<{ ended: number; more: boolean }> =>
    orFailure(repo.friendships.endRelationships({ userId, limit: othersAStep }, deadline));

  const leaveConversations = ({
    userId,
  }: Account): Promise<{ left: number; dissolved: number; more: boolean }> =>
    orFailure(repo.conversations.leaveConversations({ userId, limit: groupsAStep }, deadline));

  /** False when the guest has come back, or registered. */
  async function eraseGuest(userId: string, idleBefore: number): Promise<boolean> {
    const { closed } = await orFailure(
      repo.users.closeAccount({ userId, idleGuestBefore: idleBefore }, deadline),
    );
    if (!closed) return false;
    while ((await endRelationships({ userId })).more) Context.current().heartbeat();
    while ((await leaveConversations({ userId })).more) Context.current().heartbeat();
    return true;
  }

  return {
    endRelationships,
    leaveConversations,

    /** Refused when there never was such an account. */
    closeAccount: ({ userId }: Account): Promise<{ ok: true } | Refusal> =>
      orRefusal(repo.users.closeAccount({ userId, idleGuestBefore: 0 }, deadline).then(() => ({}))),

    /** A page of guests whom nobody has seen since a moment. */
    findIdleGuests: (input: {
      idleBefore: number;
      cursor: string;
    }): Promise<{ userIds: string[]; nextCursor: string }> =>
      orFailure(repo.users.listIdleGuests({ ...input, limit: guestsAPage }, deadline)),

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
