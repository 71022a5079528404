import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { Refusal } from '../workflows/contracts.ts';
import { orFailure, orRefusal } from './outcome.ts';

const deadline = { deadlineMs: 10_000 };
/** Others, and groups, that a step deals with: what a step of some seconds can do. */
const othersAStep = 100;
const groupsAStep = 20;
const guestsAPage = 100;
const requestsAStep = 200;
/** Messages of a call, which locks a conversation for 200 of them at a time. */
const messagesACall = 500;

type Account = { userId: string };

/** The steps of eraseUser and purgeGuests. Each does a page, and finds what was done before done. */
export function createErasureActivities({ repo }: { repo: RepoClient }) {
  const endRelationships = ({ userId }: Account): Promise<{ ended: number; more: boolean }> =>
    orFailure(repo.friendships.endRelationships({ userId, limit: othersAStep }, deadline));

  const leaveConversations = ({
    userId,
  }: Account): Promise<{ left: number; dissolved: number; more: boolean }> =>
    orFailure(repo.conversations.leaveConversations({ userId, limit: groupsAStep }, deadline));

  const eraseRequestTexts = ({ userId }: Account): Promise<{ erased: number; more: boolean }> =>
    orFailure(repo.friendships.eraseRequestTexts({ userId, limit: requestsAStep }, deadline));

  /**
   * Empties messages by pages until nothing is left. It rests as long as it works, since senders wait for the conversation
   * at which it is. The cursor stays here, since it is made of what a client chose: after a crash the conversation begins
   * anew, and what is empty is passed over.
   */
  async function redactMessages({ userId }: Account): Promise<{ redacted: number }> {
    const context = Context.current();
    let redacted = 0;
    for (let cursor = ''; ; ) {
      context.cancellationSignal.throwIfAborted();
      const begun = performance.now();
      const page = await orFailure(
        repo.messages.redactMessages({ userId, cursor, limit: messagesACall }, deadline),
      );
      redacted += page.redacted;
      cursor = page.nextCursor;
      if (cursor === '') return { redacted };
      context.heartbeat();
      await sleep(performance.now() - begun, undefined, { signal: context.cancellationSignal });
    }
  }

  /** False when the guest has come back, or registered. */
  async function eraseGuest(userId: string, idleBefore: number): Promise<boolean> {
    const { closed } = await orFailure(
      repo.users.closeAccount({ userId, idleGuestBefore: idleBefore }, deadline),
    );
    if (!closed) return false;
    while ((await endRelationships({ userId })).more) Context.current().heartbeat();
    while ((await eraseRequestTexts({ userId })).more) Context.current().heartbeat();
    while ((await leaveConversations({ userId })).more) Context.current().heartbeat();
    await redactMessages({ userId });
    return true;
  }

  return {
    endRelationships,
    eraseRequestTexts,
    leaveConversations,
    redactMessages,

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
