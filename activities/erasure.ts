import type { RepoClient } from '../lib/grpc/clients.ts';
import type { Refusal } from '../workflows/contracts.ts';
import { orFailure, orRefusal } from './outcome.ts';

const deadline = { deadlineMs: 10_000 };
/** Others, and groups, that a step deals with: what a step of some seconds can do. */
const othersAStep = 100;
const groupsAStep = 20;

/** The steps of eraseUser. Each does a page, and finds what was done before done. */
export function createErasureActivities({ repo }: { repo: RepoClient }) {
  return {
    /** Refused when there never was such an account. */
    closeAccount: ({ userId }: { userId: string }): Promise<{ ok: true } | Refusal> =>
      orRefusal(repo.users.closeAccount({ userId, idleGuestBefore: 0 }, deadline).then(() => ({}))),

    endRelationships: ({ userId }: { userId: string }): Promise<{ ended: number; more: boolean }> =>
      orFailure(repo.friendships.endRelationships({ userId, limit: othersAStep }, deadline)),

    leaveConversations: ({
      userId,
    }: {
      userId: string;
    }): Promise<{ left: number; dissolved: number; more: boolean }> =>
      orFailure(repo.conversations.leaveConversations({ userId, limit: groupsAStep }, deadline)),
  };
}
