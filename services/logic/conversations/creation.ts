import { createHash, randomUUID } from 'node:crypto';
import { conversationType } from '../../../lib/domain/enumerations.ts';
import { checkConversationId, checkUserId } from '../../../lib/domain/id-checks.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type {
  CreateConversationRequest,
  CreateConversationResponse,
} from '../../../lib/gen/im_logic/v1/conversation.ts';
import type { Relationship } from '../../../lib/gen/im_repo/v1/friendship.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { Flows } from '../flows/flows.ts';
import { checkName, checkPicture, checkText } from '../input/input.ts';
import { checkMemberIds } from './members.ts';

export type Creation = (request: CreateConversationRequest) => Promise<CreateConversationResponse>;

type Deps = {
  repo: Pick<RepoClient, 'users' | 'conversations' | 'friendships' | 'idempotency'>;
  flows: Pick<Flows, 'createGroup'>;
  groupMaxMembers: number;
};

/** Creates single conversations between friends, and groups. */
export function createConversationCreator(deps: Deps): Creation {
  const { repo, flows, groupMaxMembers } = deps;

  async function openSingle({ userId, memberIds }: CreateConversationRequest) {
    const [peerId, ...others] = checkMemberIds('memberIds', memberIds);
    if (peerId === undefined || others.length > 0) throw invalid('memberIds', 'must name exactly one friend');
    if (peerId === userId) throw invalid('memberIds', 'must name another user');
    const [relationship] = await relationshipsTo(userId, [peerId]);
    if (relationship?.blocking || relationship?.blockedBy) {
      throw new GoChatError('BLOCKED', 'One of you blocked the other.');
    }
    if (!relationship?.friends) throw new GoChatError('NOT_FRIENDS', 'You are not friends.');
    const { conversation } = await repo.conversations.createConversation({
      conversationId: '',
      type: conversationType.single,
      name: '',
      avatarUrl: '',
      description: '',
      creatorId: userId,
      initialMemberIds: [peerId],
      activate: true,
      maxMembers: 2,
      friendRequestId: '',
    });
    return { conversation, refused: [] };
  }

  async function createGroup(request: CreateConversationRequest) {
    const { userId, description } = request;
    const name = checkName('name', request.name, limits.groupName);
    const avatarUrl = checkPicture('avatarUrl', request.avatarUrl);
    checkText('description', description, limits.description);
    if (request.memberIds.length > limits.usersPerCall) {
      throw invalid('memberIds', `must name at most ${limits.usersPerCall} users`);
    }
    const memberIds = Array.from(new Set(request.memberIds.map(checkUserId))).filter((id) => id !== userId);

    const { user } = await repo.users.getUser({ userId });
    if (user?.isGuest) {
      throw new GoChatError('GUEST_NOT_ALLOWED', 'Guests cannot create groups. Register first.');
    }
    if (memberIds.length + 1 > groupMaxMembers) {
      throw new GoChatError('GROUP_FULL', `A group has at most ${groupMaxMembers} members.`);
    }
    if (memberIds.length > 0) {
      const relationships = await relationshipsTo(userId, memberIds);
      if (relationships.some(({ blockedBy }) => blockedBy)) {
        throw new GoChatError('BLOCKED', 'One of these users blocked you.');
      }
    }
    const { textsId } = await repo.users.keepFlowTexts({
      userId,
      texts: { message: '', name, avatarUrl, description },
    });
    const { conversationId, refused = [] } = await flows.createGroup({
      conversationId: request.conversationId
        ? checkConversationId(request.conversationId)
        : await reserveId(userId),
      ownerId: userId,
      memberIds,
      textsId,
      maxMembers: groupMaxMembers,
    });
    const { conversation } = await repo.conversations.getConversation({ userId, conversationId });
    return { conversation, refused };
  }

  async function relationshipsTo(userId: string, otherUserIds: string[]): Promise<Relationship[]> {
    const { relationships } = await repo.friendships.getRelationships({ userId, otherUserIds });
    if (relationships.some(({ exists }) => !exists)) {
      throw new GoChatError('USER_NOT_FOUND', 'One of these users does not exist.');
    }
    return relationships;
  }

  /** Reserves an id for a request without an Idempotency-Key, with a random key. */
  async function reserveId(userId: string): Promise<string> {
    const key = randomUUID();
    const { resourceId } = await repo.idempotency.beginRequest({
      scope: `${userId} create group`,
      key,
      requestHash: createHash('sha256').update(key).digest(),
      leaseMs: 60_000,
    });
    return resourceId;
  }

  return (request) => {
    switch (request.type) {
      case conversationType.single:
        return openSingle(request);
      case conversationType.group:
        return createGroup(request);
      default:
        throw invalid('type', 'must be 1 (single) or 2 (group)');
    }
  };
}
