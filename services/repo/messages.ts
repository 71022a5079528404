import { codeFromNumber, GoChatError } from '../../lib/errors.ts';
import type { MessageServiceService } from '../../lib/gen/im_repo/v1/message.ts';
import type { UnaryHandlers } from '../../lib/grpc/definition.ts';
import { required } from '../../lib/grpc/server.ts';
import { createMessageRead } from './message-read.ts';
import { createMessageRecall, type MessageRecallDeps } from './message-recall.ts';
import { createMessageSave, type MessageSaveDeps } from './message-save.ts';

/** The handlers of MessageService. */
export function createMessageHandlers(
  deps: MessageSaveDeps & MessageRecallDeps,
): UnaryHandlers<typeof MessageServiceService> {
  const saveMessages = createMessageSave(deps);
  const read = createMessageRead(deps);
  const deleteMessage = createMessageRecall(deps);

  return {
    saveMessages,
    deleteMessage,
    async saveMessage({ message }) {
      const given = { ...required(message, 'message'), sourcePartition: -1, sourceOffset: -1 };
      const { results } = await saveMessages({ messages: [given], recipientsOf: [] });
      const result = required(results[0], 'result');
      const code = codeFromNumber(result.error);
      if (code) throw new GoChatError(code, result.errorMessage);
      return { message: await read.one(given.conversationId, result.seqId), duplicate: result.duplicate };
    },
    getMessages: (request) => read.page(request),
    getConversationMessages: (request) => read.page(request),
    getMessageRange: async (request) => ({ messages: await read.range(request) }),
  };
}
