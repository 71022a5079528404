import { parseId } from '../../../lib/domain/ids.ts';
import { bodyRefusal } from '../../../lib/domain/message-body.ts';
import { conversationNotFound, invalid } from '../../../lib/domain/refusals.ts';
import type { NewMessage } from '../../../lib/gen/im_repo/v1/message.ts';

/** A message that may be stored as far as it can tell by itself. */
export type Draft = {
  /** Where it stands in the batch. */
  index: number;
  conversationId: number;
  senderId: number;
  /** Bytes of client_msg_id in hexadecimal. */
  clientMsgIdHex: string;
  message: NewMessage;
};

/** Checks what needs no database. Throws the error that the sender gets. */
export function readDraft(message: NewMessage, index: number): Draft {
  const conversationId = parseId(message.conversationId);
  if (conversationId === undefined) throw conversationNotFound();
  const senderId = parseId(message.senderId);
  if (senderId === undefined) throw invalid('senderId', 'is no user id');
  const refusal = bodyRefusal(message);
  if (refusal) throw refusal;
  const clientMsgIdHex = Buffer.from(message.clientMsgId).toString('hex');
  return { index, conversationId, senderId, clientMsgIdHex, message };
}
