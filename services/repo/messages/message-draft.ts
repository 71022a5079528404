import type { FileId } from '../../../lib/domain/addresses.ts';
import { attachedTo } from '../../../lib/domain/attachment.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { bodyRefusal } from '../../../lib/domain/message-body.ts';
import { conversationNotFound, invalid } from '../../../lib/domain/refusals.ts';
import type { NewMessage } from '../../../lib/gen/im_repo/v1/message.ts';

/** A message whose own fields are valid. Whether it is stored depends on the conversation and the sender. */
export type Draft = {
  /** The message's place in the batch. */
  index: number;
  conversationId: number;
  senderId: number;
  /** The bytes of clientMsgId in hexadecimal. */
  clientMsgIdHex: string;
  /** The uploaded files that it refers to. */
  files: readonly FileId[];
  message: NewMessage;
};

const noFiles: readonly FileId[] = [];

/**
 * Checks everything that needs no database. Throws the error that the sender gets: CONVERSATION_NOT_FOUND,
 * INVALID_ARGUMENT or MESSAGE_TOO_LARGE.
 */
export function readDraft(message: NewMessage, index: number): Draft {
  const conversationId = parseId(message.conversationId);
  if (conversationId === undefined) throw conversationNotFound();
  const senderId = parseId(message.senderId);
  if (senderId === undefined) throw invalid('senderId', 'must be a user id');
  const refusal = bodyRefusal(message);
  if (refusal) throw refusal;
  const clientMsgIdHex = Buffer.from(message.clientMsgId).toString('hex');
  const draft = { index, conversationId, senderId, clientMsgIdHex };
  const attached = attachedTo(message.messageType, message.content);
  if (!attached) return { ...draft, files: noFiles, message };
  const { files, content } = attached;
  return { ...draft, files, message: { ...message, content } };
}
