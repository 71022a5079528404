import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { Refusal } from '../workflows/contracts/refusal.ts';
import { orFailure, orRefusal } from './outcome.ts';

const deadline = { deadlineMs: 10_000 };
/** Others, and groups, that a step deals with: what a step of some seconds can do. */
const othersPerStep = 100;
const groupsPerStep = 20;
const requestsPerStep = 200;
/** Messages of a call, which locks a conversation for 200 of them at a time. */
const messagesPerCall = 500;

type Account = { userId: string };

/** The steps of eraseUser. Each does a page, and finds what was done before done. */
export function createEraseUserActivities({ repo }: { repo: RepoClient }) {
  const endRelationships = ({ userId }: Account): Promise<{ ended: number; more: boolean }> =>
    orFailure(repo.friendships.endRelationships({ userId, limit: othersPerStep }, deadline));

  const leaveConversations = ({
    userId,
  }: Account): Promise<{ left: number; dissolved: number; more: boolean }> =>
    orFailure(repo.conversations.leaveConversations({ userId, limit: groupsPerStep }, deadline));

  const eraseRequestTexts = ({ userId }: Account): Promise<{ erased: number; more: boolean }> =>
    orFailure(repo.friendships.eraseRequestTexts({ userId, limit: requestsPerStep }, deadline));

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
        repo.messages.redactMessages({ userId, cursor, limit: messagesPerCall }, deadline),
      );
      redacted += page.redacted;
      cursor = page.nextCursor;
      if (cursor === '') return { redacted };
      context.heartbeat();
      await sleep(performance.now() - begun, undefined, { signal: context.cancellationSignal });
    }
  }

  return {
    endRelationships,
    eraseRequestTexts,
    leaveConversations,
    redactMessages,

    /** Refused when there never was such an account. */
    closeAccount: ({ userId }: Account): Promise<{ ok: true } | Refusal> =>
      orRefusal(repo.users.closeAccount({ userId, idleGuestBefore: 0 }, deadline).then(() => ({}))),
  };
}
