// Room: requests of users about conversations and their members. Sending messages does not belong here.

import { inviters, isOneOf } from '../../../lib/domain/enumerations.ts';
import { checkConversationId } from '../../../lib/domain/id-checks.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { pageSize } from '../../../lib/domain/paging.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type { ConversationServiceService } from '../../../lib/gen/im_logic/v1/conversation.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { ServedHandlers } from '../../../lib/grpc/definition.ts';
import { checkName, checkPicture, checkText, ifGiven } from '../input/input.ts';
import type { ListHandlers } from './conversation-list.ts';
import type { Creation } from './creation.ts';
import type { MemberHandlers } from './members.ts';
import type { Typing } from './typing.ts';

/** The handlers of ConversationService: conversations, members, history, read pointers, sync and typing. */
export function createConversations(deps: {
  conversations: RepoClient['conversations'];
  messages: RepoClient['messages'];
  list: ListHandlers;
  members: MemberHandlers;
  create: Creation;
  typing: Typing;
  groupMaxMembers: number;
}): ServedHandlers<typeof ConversationServiceService> {
  const { conversations, messages, groupMaxMembers } = deps;
  return {
    ...deps.list,
    ...deps.members,

    async getConversation({ userId, conversationId }) {
      return conversations.getConversation({ userId, conversationId: checkConversationId(conversationId) });
    },

    async createConversation(request) {
      return deps.create(request);
    },

    async updateConversation({ userId, conversationId, ...changes }) {
      const name = ifGiven(changes.name, (text) => checkName('name', text, limits.groupName));
      const avatarUrl = ifGiven(changes.avatarUrl, (text) => checkPicture('avatarUrl', text));
      checkText('description', changes.description, limits.description);
      checkText('announcement', changes.announcement, limits.announcement);
      const { inviteBy, maxMembers } = changes;
      if (inviteBy !== undefined && !isOneOf(inviters, inviteBy)) {
        throw invalid('settings.inviteBy', 'must be "admins" or "members"');
      }
      if (
        maxMembers !== undefined &&
        (maxMembers < limits.groupMembers.fewest || maxMembers > groupMaxMembers)
      ) {
        throw invalid('settings.maxMembers', `must be ${limits.groupMembers.fewest} to ${groupMaxMembers}`);
      }
      return conversations.updateConversation({
        actorId: userId,
        conversationId: checkConversationId(conversationId),
        ...changes,
        name,
        avatarUrl,
      });
    },

    async getMessages(request) {
      const { userId, conversationId, beforeSeqId, afterSeqId, aroundSeqId, knownTag, asJson } = request;
      checkSeqId('beforeSeq', beforeSeqId);
      checkSeqId('afterSeq', afterSeqId);
      checkSeqId('aroundSeq', aroundSeqId);
      return messages.getMessages({
        userId,
        conversationId: checkConversationId(conversationId),
        beforeSeqId,
        afterSeqId,
        aroundSeqId,
        limit: pageSize(request.limit, limits.page),
        knownTag,
        asJson,
      });
    },

    async markAsRead({ userId, conversationId, seqId }) {
      checkSeqId('seqId', seqId);
      return conversations.updateReadPointer({
        userId,
        conversationId: checkConversationId(conversationId),
        seqId,
      });
    },

    async batchMarkAsRead({ updates }) {
      return conversations.batchUpdateReadPointers({ updates });
    },

    async sync({ userId, cursors, changes, since, limitPerConversation }) {
      for (const [name, numbers] of Object.entries({ cursors, changes })) {
        const entries = Object.entries(numbers);
        if (entries.length > limits.syncCursors)
          throw invalid(name, `must name at most ${limits.syncCursors} conversations`);
        for (const [conversationId, number] of entries) checkSeqId(`${name}.${conversationId}`, number);
      }
      if (since < 0) throw invalid('since', 'must not be negative');
      return conversations.syncConversations({
        userId,
        cursors,
        changes,
        since,
        limitPerConversation: pageSize(limitPerConversation, limits.syncMessages),
        limitTotal: limits.syncMessages.most,
      });
    },

    async notifyTyping({ userId, conversationId }) {
      await deps.typing(userId, checkConversationId(conversationId));
      return {};
    },
  };
}

function checkSeqId(path: string, seqId: number | undefined): void {
  if (seqId !== undefined && seqId < 0) throw invalid(path, 'must not be negative');
}
