import { Type } from 'typebox';
import { longestWebAddress } from '../../../lib/domain/web-address.ts';

/** Fields of requests and frames, with the contract's limits. Lengths count Unicode code points. */

const text = (minLength: number, maxLength: number) => Type.String({ minLength, maxLength, format: 'text' });

export const username = Type.String({ format: 'username' });
export const password = text(8, 128);
/** Takes whatever may have been a password: a wrong one is told as such, not as malformed. */
export const anyPassword = text(1, 1024);
export const anyUsername = text(1, 256);
export const avatarUrl = Type.String({ maxLength: longestWebAddress, format: 'picture-address' });
export const locale = Type.String({ maxLength: 64, format: 'language-tag', description: 'Empty: none' });
/** Blanks around a name are no part of it, and do not count. */
export const displayName = Type.String({ maxLength: 1000, format: 'display-name' });
export const groupName = Type.String({ maxLength: 1000, format: 'group-name' });
export const description = text(0, 1000);
export const announcement = text(0, 2000);
export const remark = text(0, 100);
export const requestMessage = text(0, 500);
export const refreshToken = text(1, 4096);
/** Of an identity provider: some put much into theirs. */
export const externalToken = text(1, 16_384);
export const searchText = text(1, 100);

export const id = Type.String({ maxLength: 64 });
export const ids = Type.Array(id, { maxItems: 1000 });

export const clientMsgId = Type.String({ format: 'client-msg-id' });
/** 1 to 4,000 code points; the upper bound is checked apart, since it has an error code of its own. */
export const content = Type.String({ minLength: 1, format: 'text' });
/** 4 (system) is written by operators only. */
export const messageType = Type.Integer({ minimum: 1, maximum: 3 });
export const seqId = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const replyToSeqId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
export const mentions = Type.Array(id, { maxItems: 100 });

export const time = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Unix milliseconds',
});

/** One of a few values. */
export const oneOf = <const V extends string | number>(
  values: readonly V[],
  description?: string,
  preset?: V,
) =>
  Type.Unsafe<V>({
    type: typeof values[0] === 'number' ? 'integer' : 'string',
    enum: values,
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
  });

/** How many rows of a list a query string asks for. */
export const limit = (preset: number, maximum: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum, default: preset }));
