// Room: messages: stored in batches, imported, read in pages and redacted. Presence and delivery to sockets may not
// come in.

import { codeFromNumber, GoChatError } from '../../../lib/errors.ts';
import type {
  GetMessageRangeRequest,
  GetMessageRequest,
  GetPinnedMessagesRequest,
  MessageServiceService,
  ResolveRecipientsRequest,
  SaveMessageRequest,
} from '../../../lib/gen/im_repo/v1/message.ts';
import type { ServedHandlers } from '../../../lib/grpc/definition.ts';
import { required } from '../../../lib/grpc/server.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { afterDelivery } from '../message-changes/after-delivery.ts';
import type { ChangeMessage, MessageChangeDeps } from '../message-changes/message-change.ts';
import { createMessageEdit } from '../message-changes/message-edit.ts';
import { createMessagePin } from '../message-changes/message-pin.ts';
import { createMessageReaction } from '../message-changes/message-reaction.ts';
import { createMessageRecall } from '../message-changes/message-recall.ts';
import { createReactionRead } from '../message-changes/reaction-read.ts';
import type { ReactionTelling } from '../message-changes/reaction-telling.ts';
import { createRequireMember } from '../rows/memberships.ts';
import { type BatchRecipientsDeps, createBatchRecipients } from './batch-recipients.ts';
import { createMessageImport } from './message-import.ts';
import { createMessageRead } from './message-read.ts';
import { createMessageRedact } from './message-redact.ts';
import { createMessageSave, type MessageSaveDeps } from './message-save.ts';

const maxQueries = 1000;

/** The handlers of MessageService. */
export function createMessageHandlers(
  deps: Omit<MessageSaveDeps & BatchRecipientsDeps, 'batchRecipients' | 'stageDuration'> &
    Omit<MessageChangeDeps, 'cold'> & {
      changeMessage: ChangeMessage;
      cold: ColdMessages;
      telling: ReactionTelling;
    },
) {
  const stageDuration = deps.metrics.latency(
    'gochat_save_stage_seconds',
    'Time of a stage of storing a batch.',
    ['stage'],
  );
  const batchRecipients = createBatchRecipients({ ...deps, stageDuration });
  const saveMessages = createMessageSave({ ...deps, batchRecipients, stageDuration });
  const requireMember = createRequireMember(deps);
  const read = createMessageRead({ ...deps, requireMember });
  const reactions = createReactionRead({ ...deps, requireMember });
  const changeMessage = afterDelivery(deps.changeMessage);

  return {
    saveMessages,
    async resolveRecipients(request: ResolveRecipientsRequest) {
      for (const name of ['queries', 'stored'] as const) {
        if (request[name].length > maxQueries) {
          throw new GoChatError('INVALID_ARGUMENT', `${name} must have at most ${maxQueries} entries.`);
        }
      }
      return batchRecipients(request);
    },
    editMessage: createMessageEdit(changeMessage, deps.access),
    setReaction: createMessageReaction(deps),
    getReactions: reactions.ofMessage,
    getOwnReactions: reactions.own,
    setPinned: createMessagePin(changeMessage),
    getPinnedMessages: async (request: GetPinnedMessagesRequest) => ({
      messages: await read.pinned(request),
    }),
    deleteMessage: createMessageRecall(changeMessage),
    redactMessages: createMessageRedact(deps),
    async saveMessage({ message }: SaveMessageRequest) {
      const given = { ...required(message, 'message'), sourcePartition: -1, sourceOffset: -1 };
      const { results } = await saveMessages({
        messages: [given],
        recipientsOf: [],
        storedOnly: true,
      });
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
