import { conversationType } from '../lib/domain/enumerations.ts';
import { friendRequestNotFound } from '../lib/domain/refusals.ts';
import type { FriendRequest } from '../lib/gen/im_repo/v1/friendship.ts';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { Refusal } from '../workflows/contracts/refusal.ts';
import { orRefusal } from './outcome.ts';

/** The columns of a friend request's row that the flow needs: ids and times, no content. */
export type FriendRequestRow = {
  requestId: string;
  requesterId: string;
  targetId: string;
  /** FriendRequestStatus. */
  status: number;
  /** Unix milliseconds. */
  expiresAt: number;
  /** When the status last changed, Unix milliseconds. Undefined in results that an older release stored in a history. */
  updatedAt?: number;
};

type RowAnswer = ({ ok: true } & FriendRequestRow) | Refusal;

/** The steps of friendRequest. In each, im-repo decides and stores the event in one transaction. */
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
    /** Stores a request, or returns the pending request between the two users, whichever of them sent it. */
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

    /** Changes the status by compare-and-set; an empty actorId means that the request expires. */
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

    /** Opens the conversation of an accepted request; a retry returns the same conversation. */
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
