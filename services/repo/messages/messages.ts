// Room: messages: stored in batches, read in pages, recalled and redacted. Presence and delivery to sockets may not
// come in.

import { codeFromNumber, GoChatError } from '../../../lib/errors.ts';
import type {
  GetMessageRangeRequest,
  GetMessageRequest,
  MessageServiceService,
  ResolveRecipientsRequest,
  SaveMessageRequest,
} from '../../../lib/gen/im_repo/v1/message.ts';
import type { ServedHandlers } from '../../../lib/grpc/definition.ts';
import { required } from '../../../lib/grpc/server.ts';
import { createMessageImport } from './message-import.ts';
import { createMessageRead } from './message-read.ts';
import { createMessageRecall, type MessageRecallDeps } from './message-recall.ts';
import { createMessageRedact } from './message-redact.ts';
import { createMessageSave, type MessageSaveDeps } from './message-save.ts';

const maxQueries = 1000;

/** The handlers of MessageService. */
export function createMessageHandlers(deps: MessageSaveDeps & MessageRecallDeps) {
  const saveMessages = createMessageSave(deps);
  const read = createMessageRead(deps);
  const deleteMessage = createMessageRecall(deps);

  return {
    saveMessages,
    async resolveRecipients({ queries }: ResolveRecipientsRequest) {
      if (queries.length > maxQueries) {
        throw new GoChatError('INVALID_ARGUMENT', `queries must have at most ${maxQueries} entries.`);
      }
      return { recipients: await deps.recipients.ofQueries(queries) };
    },
    deleteMessage,
    redactMessages: createMessageRedact(deps),
    async saveMessage({ message }: SaveMessageRequest) {
      const given = { ...required(message, 'message'), sourcePartition: -1, sourceOffset: -1 };
      const { results } = await saveMessages({ messages: [given], recipientsOf: [] });
      const result = required(results[0], 'result');
      const code = codeFromNumber(result.error);
      if (code) throw new GoChatError(code, result.errorMessage);
      return { message: await read.one(given.conversationId, result.seqId), duplicate: result.duplicate };
    },
    getMessage: async (request: GetMessageRequest) => ({ message: await read.byId(request) }),
    importMessages: createMessageImport(deps),
    getMessages: read.page,
    getConversationMessages: read.page,
    getMessageRange: async (request: GetMessageRangeRequest) => ({ messages: await read.range(request) }),
  } satisfies ServedHandlers<typeof MessageServiceService>;
}
