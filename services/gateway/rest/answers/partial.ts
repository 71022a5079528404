import Type from 'typebox';

/** The field of an answer that lacks what is in a part of the storage that is down. */
export const partial = Type.Optional(
  Type.Boolean({
    description:
      'A part of the storage is down. Conversations that this answer does not name are unknown, not gone: ask again after Retry-After',
  }),
);

/** What a route with such an answer adds to its description. */
export const partialAnswer =
  ' While a part of the storage is down, the answer has the rest, with partial: true and the header Retry-After.';

/** The headers of a partial answer: what is down is rarely back sooner, in seconds. */
export const askAgain = { 'retry-after': '2' };
