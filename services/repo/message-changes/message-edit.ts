import { bodyRefusal } from '../../../lib/domain/message-body.ts';
import { invalid, messageNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { EditMessageRequest, EditMessageResponse } from '../../../lib/gen/im_repo/v1/message.ts';
import { domainEvent } from '../outbox/outbox.ts';
import { messageExtra, type StoredMessage } from '../rows/message-rows.ts';
import { formatSql } from '../storage/database.ts';
import { aboutMessage, type Change, type ChangeMessage, type ChangeState } from './message-change.ts';
import { requireWriter } from './write-access.ts';

/**
 * Edits a message: its sender may replace the content, the metadata or both within the edit window (`editWindowMs`), as
 * long as the sender may write in the conversation. A repeat changes nothing. Throws what `ChangeMessage` and a new message
 * of the same content throw, PERMISSION_DENIED or EDIT_EXPIRED.
 */
export function createMessageEdit(changeMessage: ChangeMessage) {
  return async (request: EditMessageRequest): Promise<EditMessageResponse> => {
    if (request.content === undefined && request.metadata === undefined)
      throw invalid('content', 'or metadata must be given');
    const { message } = await changeMessage(request, (state) => edit(state, request));
    return { message };
  };
}

function edit(state: ChangeState, request: EditMessageRequest): Change | undefined {
  const { conversationId, actorId, conversation, member, message } = state;
  requireWriter(conversation, member);
  if (message.deleted) throw messageNotFound();
  if (message.senderId !== String(actorId))
    throw new GoChatError('PERMISSION_DENIED', 'Only the sender of a message can edit it.');
  const now = Date.now();
  if (now - message.createdAt > request.editWindowMs)
    throw new GoChatError('EDIT_EXPIRED', 'The time in which a message can be edited has passed.');
  const edited: StoredMessage = {
    ...message,
    content: request.content ?? message.content,
    ...(request.metadata === undefined ? {} : { metadata: request.metadata }),
    editedAt: now,
  };
  const refusal = bodyRefusal(edited);
  if (refusal) throw refusal;
  if (edited.content === message.content && edited.metadata === message.metadata) return undefined;
  return {
    message: edited,
    statements: [
      formatSql(
        'UPDATE messages SET content = ?, extra = ?, edited_at = ? WHERE conversation_id = ? AND seq_id = ?',
        [edited.content, messageExtra(edited), now, conversationId, message.seqId],
      ),
    ],
    tell: { events: [domainEvent({ type: 'message.edited', ...aboutMessage(state) })] },
  };
}
