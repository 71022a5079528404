import { Type } from 'typebox';

/**
 * The fields that clients send, with their limits. Lengths count Unicode code points. A rule that JSON Schema cannot
 * express is a named format, which the gateway checks.
 */

export const exampleUserId = '7301444403200002';
export const id = Type.String({ maxLength: 64, examples: [exampleUserId] });

export const changeSeq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const seqId = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
