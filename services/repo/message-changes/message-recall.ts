import { conversationType, memberRole } from '../../../lib/domain/enumerations.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { DeleteMessageRequest, DeleteMessageResponse } from '../../../lib/gen/im_repo/v1/message.ts';
import { domainEvent, orderedEvent } from '../outbox/outbox.ts';
import { basicKey } from '../rows/conversation-basic.ts';
import { messageExtra, type StoredMessage } from '../rows/message-rows.ts';
import { storeRecalls } from '../rows/recall-counts.ts';
import { formatSql } from '../storage/database.ts';
import {
  aboutMessage,
  type Change,
  type ChangeMessage,
  type ChangeState,
  operatorId,
} from './message-change.ts';
import { deletePins } from './message-pin.ts';
import { deleteReactions } from './reaction-rows.ts';

/**
 * Recalls a message: deletes its content, metadata, reactions and pin, and keeps its seq id. Its sender may do so within
 * the recall window (`recallWindowMs`); a group's owner and admins, and operators, at any time. A repeat changes nothing.
 * Throws CONVERSATION_NOT_FOUND, NOT_CONVERSATION_MEMBER, MESSAGE_NOT_FOUND, PERMISSION_DENIED or RECALL_EXPIRED.
 */
export function createMessageRecall(changeMessage: ChangeMessage) {
  return async (request: DeleteMessageRequest): Promise<DeleteMessageResponse> => {
    const { message, changed } = await changeMessage(request, (state) => recall(state, request), [
      basicKey(request.conversationId),
    ]);
    return { seqId: message.seqId, deleted: changed };
  };
}

function recall(state: ChangeState, { recallWindowMs }: DeleteMessageRequest): Change | undefined {
  const { conversationId, actorId, conversation, member, message } = state;
  const isManaged = conversation.type === conversationType.group && (member?.role ?? 0) >= memberRole.admin;
  if (!isManaged && actorId !== operatorId) checkSender(message, actorId, recallWindowMs);
  if (message.deleted) return undefined;
  const { metadata: _metadata, reactions: _reactions, pinned: _pinned, ...kept } = message;
  const recalled: StoredMessage = { ...kept, content: '', deleted: true };
  const about = { type: 'message.recalled', ...aboutMessage(state) } as const;
  return {
    message: recalled,
    statements: [
      formatSql(
        `UPDATE messages SET deleted = TRUE, content = '', extra = ?, reactions = NULL, pinned = FALSE
         WHERE conversation_id = ? AND seq_id = ?`,
        [messageExtra(recalled), conversationId, message.seqId],
      ),
      ...deleteReactions(conversationId, [message.seqId]),
      deletePins(conversationId, [message.seqId]),
      ...storeRecalls(conversationId, [{ seqId: message.seqId, messageId: message.id, by: actorId }]),
    ],
    tell: { events: [domainEvent(about), orderedEvent({ ...about, extra_user_ids: [] })] },
  };
}

function checkSender(message: StoredMessage, actorId: number, windowMs: number): void {
  if (message.senderId !== String(actorId)) {
    throw new GoChatError(
      'PERMISSION_DENIED',
      'Only the sender of a message, or the owner or an admin of its group, can recall it.',
    );
  }
  if (!message.deleted && Date.now() - message.createdAt > windowMs) {
    throw new GoChatError('RECALL_EXPIRED', 'The time in which a message can be recalled has passed.');
  }
}
