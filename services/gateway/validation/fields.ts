import { Type } from 'typebox';
import { limits } from '../../../lib/domain/limits.ts';
import { exampleUserId, id } from '../../../lib/wire/fields.ts';

export { changeSeq, id, seqId } from '../../../lib/wire/fields.ts';

/** Schemas of request fields, with their limits. Lengths count Unicode code points. The fields of frames are in lib/wire. */

const text = (minLength: number, maxLength: number, example: string) =>
  Type.String({ minLength, maxLength, format: 'text', examples: [example] });

export const username = Type.String({ format: 'username', examples: ['ann'] });
export const password = text(
  limits.password.shortest,
  limits.password.longest,
  'correct horse battery staple',
);
/** Accepts any text that may be a password, so that a wrong one is answered as wrong and not as malformed. */
export const anyPassword = text(1, 1024, 'correct horse battery staple');
export const anyUsername = text(1, 256, 'ann');
export const avatarUrl = Type.String({
  maxLength: limits.webAddress,
  format: 'picture-address',
  description:
    'The address of an uploaded file, or an http or https address without a user name or password in it. Empty: no picture.',
  examples: ['https://pictures.example/ann.png'],
});
export const locale = Type.String({
  maxLength: limits.locale,
  format: 'language-tag',
  description: 'A BCP 47 language tag. Empty: none.',
  examples: ['de-CH'],
});
/** Blanks around a name are cut off and do not count. */
export const displayName = Type.String({
  format: 'display-name',
  description: `1 to ${limits.displayName} characters, some of them visible, and no control characters. Blanks around it are cut off.`,
  examples: ['Ann Miller'],
});
export const groupName = Type.String({
  format: 'group-name',
  description: `1 to ${limits.groupName} characters, some of them visible, and no control characters. Blanks around it are cut off.`,
  examples: ['Climbing'],
});
export const description = text(0, limits.description, 'Thursdays at the hall');
export const announcement = text(0, limits.announcement, 'The hall is closed next week.');
export const remark = text(0, limits.remark, 'Bob from work');
export const requestMessage = text(0, limits.friendRequestMessage, 'Hello Bob, it is me.');
/**
 * A token may be any text. One that cannot be valid, such as an empty one, is answered as wrong and not as malformed, and
 * counts as a failed sign-in.
 */
const token = (example: string) => Type.String({ examples: [example] });
export const refreshToken = token('eyJhbGciOiJFZERTQSJ9.eyJzaWQiOiJiM2YwIn0.c2lnbmF0dXJl');
export const externalToken = token('eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl');
export const searchText = text(1, limits.searchText, 'an');
export const messageSearchText = text(1, limits.searchText, 'eight');

export const ids = Type.Array(id, { maxItems: limits.usersPerCall });

/** An id in a path. Ids are opaque to clients, so text that cannot be an id is answered like an unknown id. */
const pathId = (description: string, example: string) => Type.String({ description, examples: [example] });
export const pathUserId = pathId('Id of the user', exampleUserId);
export const pathConversationId = pathId('Id of the conversation', '7301444403200007');
export const pathMessageId = pathId('Id of the message', '7301444403300001');
export const pathRequestId = pathId('Id of the friend request', '7301444403200009');
export const pathSessionId = pathId('Id of the login session', 'b3f0c9a2-3b1e-4c8f-8d57-0f2f6a1f0c11');

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

/** The query parameter for the maximum number of rows of a list. */
export const limit = ({ usual, most }: Readonly<{ usual: number; most: number }>) =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: most,
      default: usual,
      description: 'How many rows to answer at most',
    }),
  );
