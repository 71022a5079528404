// Room: requests of users about friend requests, friends and blocks. The flow of a friend request is in workflows/.

import { friendRequestAction, friendRequestStatus, isOneOf } from '../../../lib/domain/enumerations.ts';
import { checkFriendRequestId, checkUserId } from '../../../lib/domain/id-checks.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { readPaging } from '../../../lib/domain/paging.ts';
import { friendRequestNotFound, invalid, userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { FriendServiceService } from '../../../lib/gen/im_logic/v1/friend.ts';
import type { FriendRequest } from '../../../lib/gen/im_repo/v1/friendship.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { required } from '../../../lib/grpc/server.ts';
import type { Flows } from '../flows/flows.ts';
import { checkText } from '../input/input.ts';

/** The handlers of FriendService: friend requests (durable flows), friends and blocks. */
export function createFriends(deps: {
  users: Pick<RepoClient['users'], 'keepFlowTexts'>;
  friendships: RepoClient['friendships'];
  conversations: RepoClient['conversations'];
  flows: Flows;
}): UnaryHandlers<typeof FriendServiceService> {
  const { users, friendships, conversations, flows } = deps;

  async function requestOf(requestId: string): Promise<FriendRequest> {
    const { request } = await friendships.getFriendRequest({ requestId, userId: '', otherUserId: '' });
    return required(request, 'request');
  }

  /**
   * A pending request, with the requester's and the target's id. Rejects with PERMISSION_DENIED unless `userId` is on
   * the given side, and with REQUEST_ALREADY_HANDLED unless the request is pending.
   */
  async function pending(requestId: string, userId: string, side: 'requester' | 'target') {
    const request = await requestOf(checkFriendRequestId(requestId));
    const requesterId = required(request.requester, 'requester').id;
    const targetId = required(request.target, 'target').id;
    if (userId !== (side === 'target' ? targetId : requesterId)) {
      throw new GoChatError('PERMISSION_DENIED', `Only the ${side} of a friend request may do this.`);
    }
    if (request.status !== friendRequestStatus.pending) {
      throw new GoChatError('REQUEST_ALREADY_HANDLED', 'This friend request is not pending any more.');
    }
    return { request, pair: [requesterId, targetId] as const };
  }

  /** Refuses a request that cannot succeed before a flow is started. The final decision is the flow's. */
  async function checkStanding(userId: string, targetUserId: string): Promise<void> {
    const { relationships } = await friendships.getRelationships({ userId, otherUserIds: [targetUserId] });
    const [standing] = relationships;
    if (!standing?.exists) throw userNotFound();
    if (standing.blocking || standing.blockedBy) {
      throw new GoChatError('BLOCKED', 'One of you blocked the other.');
    }
    if (standing.friends) throw new GoChatError('ALREADY_FRIENDS', 'You are friends already.');
  }

  return {
    async sendFriendRequest({ userId, targetUserId, message, idempotencyKey }) {
      checkUserId(targetUserId);
      if (targetUserId === userId) throw invalid('targetUserId', 'must name another user');
      checkText('message', message, limits.friendRequestMessage);
      await checkStanding(userId, targetUserId);
      // im-repo keeps the text and gives it to the flow's step, so that no workflow history contains it.
      const kept =
        message === ''
          ? undefined
          : await users.keepFlowTexts({
              userId,
              texts: { message, name: '', avatarUrl: '', description: '' },
            });
      const { requestId } = await flows.requestFriend({
        requesterId: userId,
        targetId: targetUserId,
        textsId: kept?.textsId,
        idempotencyKey,
      });
      return { request: await requestOf(requestId) };
    },

    async handleFriendRequest({ userId, requestId, action }) {
      const accept = action === friendRequestAction.accept;
      if (!accept && action !== friendRequestAction.reject) {
        throw invalid('action', 'must be 1 (accept) or 2 (reject)');
      }
      const { request, pair } = await pending(requestId, userId, 'target');
      const { conversationId, decidedAt } = await flows.decideFriendRequest(pair, {
        requestId,
        actorId: userId,
        action: accept ? 'accept' : 'reject',
      });
      const status = accept ? friendRequestStatus.accepted : friendRequestStatus.rejected;
      const [decided, opened] = await Promise.all([
        // The decision changed only these two fields of the request that was read before.
        decidedAt === undefined ? requestOf(requestId) : { ...request, status, updatedAt: decidedAt },
        conversationId ? conversations.getConversation({ userId, conversationId }) : undefined,
      ]);
      return { request: decided, conversation: opened?.conversation };
    },

    async withdrawFriendRequest({ userId, requestId }) {
      const { pair } = await pending(requestId, userId, 'requester');
      await flows.withdrawFriendRequest(pair, { requestId, actorId: userId });
      return {};
    },

    async getFriendRequest({ userId, requestId }) {
      const request = await requestOf(checkFriendRequestId(requestId));
      if (request.requester?.id !== userId && request.target?.id !== userId) throw friendRequestNotFound();
      return { request };
    },

    async listFriendRequests(request) {
      const { userId, outgoing, status, cursor } = request;
      if (status !== undefined && !isOneOf(friendRequestStatus, status)) {
        throw invalid('status', 'must be 0 to 5');
      }
      const { limit, offset } = readPaging('friend requests', request);
      return friendships.listFriendRequests({ userId, outgoing, status, limit, offset, cursor });
    },

    async getFriends(request) {
      const { userId, cursor } = request;
      const { limit, offset } = readPaging('friends', request);
      return friendships.getUserFriends({ userId, limit, offset, cursor, friendId: '' });
    },

    async updateFriend({ userId, friendId, remark }) {
      checkUserId(friendId);
      checkText('remark', remark, limits.remark);
      await friendships.updateFriendRemark({ userId, friendId, remark });
      const { friends } = await friendships.getUserFriends({ userId, limit: 1, offset: 0, friendId });
      return { friend: friends[0] };
    },

    async deleteFriend({ userId, friendId }) {
      return friendships.deleteFriend({ userId, friendId: checkUserId(friendId) });
    },

    async listBlocks(request) {
      const { userId, cursor } = request;
      const { limit, offset } = readPaging('blocks', request);
      return friendships.listBlocks({ userId, limit, offset, cursor });
    },

    async blockUser({ userId, blockedId }) {
      if (checkUserId(blockedId) === userId) throw invalid('userId', 'must name another user');
      return friendships.blockUser({ userId, blockedId });
    },

    async unblockUser({ userId, blockedId }) {
      return friendships.unblockUser({ userId, blockedId: checkUserId(blockedId) });
    },
  };
}
