import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { Refusal } from '../workflows/contracts/refusal.ts';
import { orFailure, orRefusal } from './outcome.ts';

const deadline = { deadlineMs: 10_000 };
/** Rows per step, such that a step takes at most a few seconds. */
const othersPerStep = 100;
const groupsPerStep = 20;
const requestsPerStep = 200;
/** Messages per call; im-repo locks a conversation for 200 of them at a time. */
const messagesPerCall = 500;

type Account = { userId: string };

/** The steps of eraseUser. Each step handles one page and skips what is already erased, so it can be retried. */
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
   * Empties all messages of the account, page by page. Senders wait for the lock of the conversation at work, so
   * after each page the activity pauses for as long as the page took. The cursor contains ids that a client chose, so
   * it must not get into the history: after a crash the activity starts from the beginning and skips empty messages.
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

    /** Refused with USER_NOT_FOUND if there never was such an account. */
    closeAccount: ({ userId }: Account): Promise<{ ok: true } | Refusal> =>
      orRefusal(repo.users.closeAccount({ userId, idleGuestBefore: 0 }, deadline).then(() => ({}))),
  };
}
