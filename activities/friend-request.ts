import { conversationType } from '../lib/domain/enumerations.ts';
import { friendRequestNotFound } from '../lib/domain/refusals.ts';
import type { FriendRequest } from '../lib/gen/im_repo/v1/friendship.ts';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { Refusal } from '../workflows/contracts/refusal.ts';
import { orRefusal } from './outcome.ts';

/** What the flow keeps of a friend request's row: ids and times, no content. */
export type FriendRequestRow = {
  requestId: string;
  requesterId: string;
  targetId: string;
  /** FriendRequestStatus. */
  status: number;
  /** Unix milliseconds. */
  expiresAt: number;
  /** When its status changed last, Unix milliseconds. Rows that a history has from an earlier release have none. */
  updatedAt?: number;
};

type RowAnswer = ({ ok: true } & FriendRequestRow) | Refusal;

/** The steps of friendRequest. Each is one decision of im-repo, with its event in the same transaction. */
export function createFriendRequestActivities({
  repo,
  friendRequestTtlMs,
  friendRequestCooldownMs,
}: {
  repo: RepoClient;
  friendRequestTtlMs: number;
  friendRequestCooldownMs: number;
}) {
  return {
    /** Stores a request, or answers the one that is pending between the two, whoever made it. */
    createFriendRequest: (input: {
      requesterId: string;
      targetId: string;
      textsId?: string | undefined;
      message?: string | undefined;
    }): Promise<RowAnswer> =>
      orRefusal(
        repo.friendships
          .createFriendRequest({
            ...input,
            message: input.message ?? '',
            ttlMs: friendRequestTtlMs,
            cooldownMs: friendRequestCooldownMs,
          })
          .then(({ request }) => toRow(request)),
      ),

    /** The compare-and-set of a status; an empty actor stands for the expiry. */
    settleFriendRequest: (input: {
      requestId: string;
      actorId: string;
      status: number;
    }): Promise<RowAnswer> =>
      orRefusal(repo.friendships.updateFriendRequest(input).then(({ request }) => toRow(request))),

    /** The latest request between two users. */
    findFriendRequest: ([userId, otherUserId]: [string, string]): Promise<RowAnswer> =>
      orRefusal(
        repo.friendships
          .getFriendRequest({ requestId: '', userId, otherUserId })
          .then(({ request }) => toRow(request)),
      ),

    /** The conversation that an accepted request leads to: the same one every time. */
    openSingleConversation: (input: {
      creatorId: string;
      peerId: string;
      friendRequestId: string;
    }): Promise<{ ok: true; conversationId: string } | Refusal> =>
      orRefusal(
        repo.conversations
          .createConversation({
            conversationId: '',
            type: conversationType.single,
            name: '',
            avatarUrl: '',
            description: '',
            creatorId: input.creatorId,
            initialMemberIds: [input.peerId],
            activate: true,
            maxMembers: 0,
            friendRequestId: input.friendRequestId,
            idOnly: true,
          })
          .then(({ conversationId }) => ({ conversationId })),
      ),
  };
}

function toRow(request: FriendRequest | undefined): FriendRequestRow {
  if (!request?.requester || !request.target) {
    throw friendRequestNotFound();
  }
  return {
    requestId: request.id,
    requesterId: request.requester.id,
    targetId: request.target.id,
    status: request.status,
    expiresAt: request.expiresAt,
    updatedAt: request.updatedAt,
  };
}
