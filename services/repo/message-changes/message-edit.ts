import { attachedTo } from '../../../lib/domain/attachment.ts';
import { messageType } from '../../../lib/domain/enumerations.ts';
import { bodyRefusal } from '../../../lib/domain/message-body.ts';
import { invalid, messageNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { EditMessageRequest, EditMessageResponse } from '../../../lib/gen/im_repo/v1/message.ts';
import { type FileAccess, unreadable } from '../files/file-access.ts';
import { domainEvent } from '../outbox/outbox.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import { messageExtra, type StoredMessage } from '../rows/message-rows.ts';
import { formatSql } from '../storage/database.ts';
import { aboutMessage, type Change, type ChangeMessage, type ChangeState } from './message-change.ts';
import { requireWriter } from './write-access.ts';

/**
 * Edits a message: its sender may replace the content, the metadata or both within the edit window (`editWindowMs`), as
 * long as the sender may write in the conversation. A repeat changes nothing. Throws what `ChangeMessage` and a new message
 * of the same content throw, PERMISSION_DENIED or EDIT_EXPIRED.
 */
export function createMessageEdit(changeMessage: ChangeMessage, access: FileAccess) {
  return async (request: EditMessageRequest): Promise<EditMessageResponse> => {
    if (request.content === undefined && request.metadata === undefined)
      throw invalid('content', 'or metadata must be given');
    const isReadable = await mayReadFiles(access, request);
    const { message } = await changeMessage(request, (state) => edit(state, request, isReadable));
    return { message };
  };
}

/** Read before the lock, because files lie elsewhere. Only an image or file message will refer to them. */
async function mayReadFiles(
  access: FileAccess,
  { actorId, content = '' }: EditMessageRequest,
): Promise<boolean> {
  const files = attachedTo(messageType.file, content)?.files ?? [];
  const readable = await access.readable(files.map((file) => ({ userId: userIdOf(actorId), file })));
  return !readable.includes(false);
}

function edit(state: ChangeState, request: EditMessageRequest, mayReadFiles: boolean): Change | undefined {
  const { conversationId, actorId, conversation, member, message } = state;
  requireWriter(conversation, member);
  if (message.deleted) throw messageNotFound();
  if (message.senderId !== String(actorId))
    throw new GoChatError('PERMISSION_DENIED', 'Only the sender of a message can edit it.');
  const now = Date.now();
  if (now - message.createdAt > request.editWindowMs)
    throw new GoChatError('EDIT_EXPIRED', 'The time in which a message can be edited has passed.');
  const content = request.content ?? message.content;
  const attached = attachedTo(message.messageType, content);
  const edited: StoredMessage = {
    ...message,
    content: attached?.content ?? content,
    ...(request.metadata === undefined ? {} : { metadata: request.metadata }),
    editedAt: now,
  };
  const refusal = bodyRefusal(edited);
  if (refusal) throw refusal;
  if (edited.content === message.content && edited.metadata === message.metadata) return undefined;
  if (attached && !mayReadFiles) throw unreadable('content.url');
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
