import Type from 'typebox';
import { longestPage, usualPage } from '../../../lib/domain/paging.ts';
import { GoChatError } from '../../../lib/errors.ts';
import { limit } from './fields.ts';

/** What the query string of every list takes. */
export const pagingFields = {
  limit: limit(usualPage, longestPage),
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

/** What every list answers beside its rows. */
export const nextCursor = Type.Optional(
  Type.String({ description: 'The cursor of the next page; absent on the last page' }),
);

type PagingQuery = { limit?: number; offset?: number; cursor?: string };

/** The page that a query string asks for. */
export function pagingOf({ limit = usualPage, offset, cursor }: PagingQuery) {
  if (offset !== undefined && cursor !== undefined) {
    const message = 'must not be given together with offset';
    throw new GoChatError('INVALID_ARGUMENT', `cursor ${message}.`, [{ path: 'cursor', message }]);
  }
  return { limit, offset: offset ?? 0, cursor };
}
