import { Type } from 'typebox';
import { limits } from '../domain/limits.ts';

/**
 * Fields that clients send, with the contract's limits. Lengths count Unicode code points; what JSON Schema cannot say is a
 * named format, which the gateway checks.
 */

export const exampleUserId = '7301444403200002';
export const id = Type.String({ maxLength: 64, examples: [exampleUserId] });

export const clientMsgId = Type.String({
  format: 'client-msg-id',
  description: `Chosen by the client, 1 to ${limits.clientMsgIdBytes} bytes in UTF-8. A repeat of the same message carries the same one, so that it is stored once.`,
  examples: ['0b54f6c1-5d0e-4c5b-9f3a-6a3f9f1b7a10'],
});
/** Its longest length is checked apart, since that has an error code of its own. */
export const content = Type.String({
  minLength: 1,
  format: 'text',
  description: `Text of up to ${limits.messageContent.toLocaleString('en-US')} characters. Of an image or a file: {url, name, size, mime, width?, height?, thumbnailUrl?} as JSON.`,
  examples: ['See you at eight.'],
});
/** 4 (system) is written by operators only. */
export const messageType = Type.Integer({
  minimum: 1,
  maximum: 3,
  default: 1,
  description: '1 text, 2 image, 3 file',
});
export const seqId = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const replyToSeqId = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'The seqId of the message that this one answers',
});
export const mentions = Type.Array(id, {
  maxItems: limits.mentions,
  description: 'Ids of the users mentioned',
});
