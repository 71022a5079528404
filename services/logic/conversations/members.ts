import { memberRole, notificationChoices } from '../../../lib/domain/enumerations.ts';
import { checkConversationId, checkUserId } from '../../../lib/domain/id-checks.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { readPaging } from '../../../lib/domain/paging.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type { ConversationServiceService } from '../../../lib/gen/im_logic/v1/conversation.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Flows } from '../flows/flows.ts';
import { checkOneOf } from '../input/input.ts';

type Handlers = UnaryHandlers<typeof ConversationServiceService>;
export type MemberHandlers = Pick<
  Handlers,
  | 'getMembers'
  | 'addMembers'
  | 'removeMembers'
  | 'updateMember'
  | 'updateMemberChoices'
  | 'transferOwnership'
  | 'dissolveConversation'
>;

/**
 * The handlers for the members of a conversation. im-repo checks the actor's rights under the conversation's lock. A
 * flow makes sure that a change of the member set is carried out exactly once.
 */
export function createMembers(deps: {
  conversations: RepoClient['conversations'];
  flows: Pick<Flows, 'changeMembers'>;
}): MemberHandlers {
  const { conversations, flows } = deps;
  return {
    async getMembers(request) {
      const { userId, conversationId, cursor } = request;
      const { limit, offset } = readPaging('members', request);
      return conversations.getConversationMembers({
        userId,
        conversationId: checkConversationId(conversationId),
        limit,
        offset,
        cursor,
        memberIds: [],
      });
    },

    async addMembers({ userId, conversationId, memberIds, idempotencyKey }) {
      const {
        added = [],
        alreadyMembers = [],
        refused = [],
      } = await flows.changeMembers({
        actorId: userId,
        conversationId: checkConversationId(conversationId),
        change: { kind: 'add', userIds: checkMemberIds('userIds', memberIds) },
        idempotencyKey,
      });
      return { added, alreadyMembers, refused };
    },

    async removeMembers({ userId, conversationId, memberIds, idempotencyKey }) {
      const { removed = [] } = await flows.changeMembers({
        actorId: userId,
        conversationId: checkConversationId(conversationId),
        change: { kind: 'remove', userIds: checkMemberIds('userIds', memberIds) },
        idempotencyKey,
      });
      return { removed };
    },

    async dissolveConversation({ userId, conversationId }) {
      await flows.changeMembers({
        actorId: userId,
        conversationId: checkConversationId(conversationId),
        change: { kind: 'dissolve' },
        idempotencyKey: '',
      });
      return {};
    },

    async updateMember({ userId, conversationId, memberId, role, muted }) {
      if (role === undefined && muted === undefined) throw invalid('role', 'or muted is required');
      if (role !== undefined && role !== memberRole.member && role !== memberRole.admin) {
        throw invalid('role', 'must be 1 (member) or 2 (admin)');
      }
      return conversations.updateConversationMember({
        actorId: userId,
        conversationId: checkConversationId(conversationId),
        userId: checkUserId(memberId),
        role,
        muted,
      });
    },

    async updateMemberChoices({ userId, conversationId, notifications, pinned, hidden }) {
      checkOneOf('notifications', notifications, notificationChoices);
      return conversations.updateMemberChoices({
        userId,
        conversationId: checkConversationId(conversationId),
        notifications,
        pinned,
        hidden,
      });
    },

    async transferOwnership({ userId, conversationId, newOwnerId }) {
      await flows.changeMembers({
        actorId: userId,
        conversationId: checkConversationId(conversationId),
        change: { kind: 'transfer', userId: checkUserId(newOwnerId) },
        idempotencyKey: '',
      });
      return conversations.getConversation({ userId, conversationId });
    },
  };
}

/** Checks a list of user ids, and removes duplicates. Throws INVALID_ARGUMENT if the list is empty or too long. */
export function checkMemberIds(path: string, ids: readonly string[]): string[] {
  if (ids.length === 0) throw invalid(path, 'must not be empty');
  if (ids.length > limits.usersPerCall) throw invalid(path, `must name at most ${limits.usersPerCall} users`);
  return Array.from(new Set(ids.map(checkUserId)));
}
