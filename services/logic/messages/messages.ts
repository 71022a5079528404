// Room: messages sent over REST, and changes of messages. The room upstream handles all messages, including these, from
// Kafka.

import { checkConversationId } from '../../../lib/domain/id-checks.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { bodyOf, bodyRefusal, bodyToRecord } from '../../../lib/domain/message-body.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type { MessageServiceService } from '../../../lib/gen/im_logic/v1/message.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { checkText } from '../input/input.ts';
import type { Sending } from './sending.ts';

/** The handlers of MessageService: sends over REST, single messages, and their changes. */
export function createMessages(deps: {
  messages: RepoClient['messages'];
  search: Pick<RepoClient['search'], 'searchMessages'>;
  sending: Pick<Sending, 'send'>;
  recallWindowMs: number;
  editWindowMs: number;
}): UnaryHandlers<typeof MessageServiceService> {
  const { messages, sending } = deps;
  return {
    async sendMessage(request) {
      const { userId, conversationId } = request;
      checkConversationId(conversationId);
      // In proto, a missing type is 0.
      const body = bodyOf({ ...request, messageType: request.messageType || undefined });
      const refusal = bodyRefusal(body);
      if (refusal) throw refusal;
      const ack = await sending.send({
        user_id: userId,
        conversation_id: conversationId,
        ...bodyToRecord(body),
      });
      // Read from storage, since a repeated send is answered with the first message, even if its content differs.
      const stored = await messages.getMessageRange({
        conversationId,
        firstSeqId: ack.seq_id,
        lastSeqId: ack.seq_id,
      });
      return { message: stored.messages[0], duplicate: ack.duplicate };
    },

    getMessage: async ({ userId, conversationId, messageId }) =>
      messages.getMessage({ userId, conversationId: checkConversationId(conversationId), messageId }),

    editMessage: async ({ userId, conversationId, messageId, content, metadata }) =>
      messages.editMessage({
        actorId: userId,
        conversationId: checkConversationId(conversationId),
        messageId,
        content,
        metadata,
        editWindowMs: deps.editWindowMs,
      }),

    setReaction: async ({ userId, conversationId, messageId, emoji, on }) =>
      messages.setReaction({
        actorId: userId,
        conversationId: checkConversationId(conversationId),
        messageId,
        emoji,
        on,
      }),

    getReactions: async ({ conversationId, ...rest }) =>
      messages.getReactions({ conversationId: checkConversationId(conversationId), ...rest }),

    getOwnReactions: async ({ conversationId, ...rest }) =>
      messages.getOwnReactions({ conversationId: checkConversationId(conversationId), ...rest }),

    setPinned: async ({ userId, conversationId, messageId, pinned }) =>
      messages.setPinned({
        actorId: userId,
        conversationId: checkConversationId(conversationId),
        messageId,
        pinned,
      }),

    getPinnedMessages: async ({ userId, conversationId }) =>
      messages.getPinnedMessages({ userId, conversationId: checkConversationId(conversationId) }),

    async searchMessages(request) {
      if (request.query === '') throw invalid('q', 'must not be empty');
      checkText('q', request.query, limits.searchText);
      return deps.search.searchMessages(request);
    },

    async deleteMessage({ userId, conversationId, messageId }) {
      const { seqId } = await messages.deleteMessage({
        actorId: userId,
        conversationId: checkConversationId(conversationId),
        messageId,
        recallWindowMs: deps.recallWindowMs,
      });
      return { seqId };
    },
  };
}
