import { parseId } from '../../../lib/domain/ids.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { conversationNotFound, invalid } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
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
  if (conversationId === undefined) {
    throw conversationNotFound();
  }
  const senderId = parseId(message.senderId);
  if (senderId === undefined) throw invalid('senderId', 'is no user id');
  if (![1, 2, 3].includes(message.messageType)) throw invalid('messageType', 'must be 1, 2 or 3');
  checkContent(message.content);
  const clientMsgId = Buffer.from(message.clientMsgId);
  if (clientMsgId.length === 0 || clientMsgId.length > limits.clientMsgIdBytes) {
    throw invalid('clientMsgId', `must have 1 to ${limits.clientMsgIdBytes} bytes`);
  }
  if (message.replyToSeqId !== undefined && !(message.replyToSeqId >= 1)) {
    throw invalid('replyToSeqId', 'names no message');
  }
  if (message.mentions.length > limits.mentions)
    throw invalid('mentions', `may have at most ${limits.mentions} users`);
  if (message.mentions.some((id) => parseId(id) === undefined)) throw invalid('mentions', 'must be user ids');
  return { index, conversationId, senderId, clientMsgIdHex: clientMsgId.toString('hex'), message };
}

function checkContent(content: string): void {
  if (content === '') throw invalid('content', 'must not be empty');
  if (!content.isWellFormed()) throw invalid('content', 'must be well-formed Unicode');
  // A code point is one or two UTF-16 units: most texts need no counting.
  if (content.length <= limits.messageContent) return;
  if (content.length > 2 * limits.messageContent || codePoints(content) > limits.messageContent) {
    throw new GoChatError('MESSAGE_TOO_LARGE', `A message has at most ${limits.messageContent} characters.`);
  }
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
