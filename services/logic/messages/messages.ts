// Room: messages read, sent over REST and recalled. Those that come over sockets take the upstream room.

import { defaultMessageType } from '../../../lib/domain/enumerations.ts';
import { checkConversationId } from '../../../lib/domain/id-checks.ts';
import type { MessageServiceService } from '../../../lib/gen/im_logic/v1/message.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { refusalOf } from '../input/input.ts';
import type { Sending } from './sending.ts';

/** Sending and recalling outside the WebSocket. */
export function createMessages(deps: {
  messages: RepoClient['messages'];
  sending: Pick<Sending, 'send'>;
  recallWindowMs: number;
}): UnaryHandlers<typeof MessageServiceService> {
  const { messages, sending } = deps;
  return {
    async sendMessage(request) {
      const { userId, conversationId, clientMsgId, content, replyToSeqId, mentions } = request;
      checkConversationId(conversationId);
      const messageType = request.messageType === 0 ? defaultMessageType : request.messageType;
      const refusal = refusalOf({ content, clientMsgId, messageType, replyToSeqId, mentions });
      if (refusal) throw refusal;
      const ack = await sending.send({
        user_id: userId,
        conversation_id: conversationId,
        message_type: messageType,
        content,
        client_msg_id: clientMsgId,
        ...(replyToSeqId === undefined ? {} : { reply_to_seq_id: replyToSeqId }),
        ...(mentions.length === 0 ? {} : { mentions }),
      });
      // Read back, since a repeated send is answered with the first message, whatever it says this time.
      const stored = await messages.getMessageRange({
        conversationId,
        firstSeqId: ack.seq_id,
        lastSeqId: ack.seq_id,
      });
      return { message: stored.messages[0], duplicate: ack.duplicate };
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
