import Type from 'typebox';
import { limits } from '../../../lib/domain/limits.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { limit } from './fields.ts';

/** The query parameters of every list. */
export const pagingFields = {
  limit: limit(limits.page),
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 2 ** 31 - 1,
      description:
        'How many rows to skip. While rows come and go, pages by offset skip some and repeat others: use cursor instead.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'nextCursor of the page before, for the page that follows it. Not together with offset.',
    }),
  ),
};

/** The field that every list answers in addition to its rows. */
export const nextCursor = Type.Optional(
  Type.String({ description: 'The cursor of the next page; absent on the last page' }),
);

type PagingQuery = { limit?: number; offset?: number; cursor?: string };

/** Reads the page from a query string. Throws INVALID_ARGUMENT if it has both an offset and a cursor. */
export function pagingOf({ limit = limits.page.usual, offset, cursor }: PagingQuery) {
  if (offset !== undefined && cursor !== undefined) {
    throw invalid('cursor', 'must not be given together with offset');
  }
  return { limit, offset: offset ?? 0, cursor };
}
