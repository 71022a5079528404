import { limits } from './limits.ts';
import { invalid } from './refusals.ts';

/** A request for a page: at most `limit` rows, from `offset` on or after the row that `cursor` names. */
export type PageRequest = {
  limit?: number | undefined;
  offset?: number | undefined;
  cursor?: string | undefined;
};

export type Paging<L extends List> = {
  limit: number;
  offset: number;
  /** The position of the last row of the previous page; undefined without a cursor. */
  after: Position<L> | undefined;
};

/**
 * The sort keys of each list, which are the values in its cursors. A cursor holds the sort keys of a row instead of a
 * number of rows, so it stays correct when rows before it are added or removed, and is valid in every process and after
 * a restart.
 */
const orders = {
  /** updatedAt and id, both descending. */
  conversations: ['number', 'number'],
  /** The user's id, ascending. */
  members: ['number'],
  /** The friend's id, ascending. */
  friends: ['number'],
  /** The user's id and the friend's id, both ascending. */
  'friend ids': ['number', 'number'],
  /** The request's id, descending. */
  'friend requests': ['number'],
  /** The time of the block and the blocked user's id, both descending. */
  blocks: ['number', 'number'],
  /** The time of the reaction, the user's id and the emoji, all ascending. */
  reactions: ['number', 'number', 'string'],
  /** The message's time and id, both descending. */
  'search results': ['number', 'number'],
  /** The session's start time and id, both descending. */
  sessions: ['number', 'string'],
} as const;

export type List = keyof typeof orders;
export type Position<L extends List> = ValuesOf<(typeof orders)[L]>;
type ValuesOf<O extends readonly string[]> = {
  -readonly [K in keyof O]: O[K] extends 'string' ? string : number;
};

const maxTextLength = 64;

/** Throws INVALID_ARGUMENT if limit, offset or cursor is invalid, or if both a cursor and an offset are given. */
export function readPaging<L extends List>(
  list: L,
  request: PageRequest,
  max: number = limits.page.most,
): Paging<L> {
  const { offset = 0, cursor } = request;
  const limit = pageSize(request.limit ?? 0, { usual: limits.page.usual, most: max });
  if (!Number.isSafeInteger(offset) || offset < 0) throw invalid('offset', 'must not be negative');
  if (cursor === undefined) return { limit, offset, after: undefined };
  if (offset > 0) throw invalid('cursor', 'must not be given together with offset');
  return { limit, offset, after: readCursor(list, cursor) };
}

/** The size of a page: `usual` if `limit` is 0. Throws INVALID_ARGUMENT unless `limit` is 0 to `most`. */
export function pageSize(limit: number, { usual, most }: Readonly<{ usual: number; most: number }>): number {
  if (limit === 0) return usual;
  if (limit < 1 || limit > most) throw invalid('limit', `must be 1 to ${most}`);
  return limit;
}

/**
 * Builds a page from the rows found. The caller searches for `limit + 1` rows: the extra one shows that a page
 * follows.
 */
export function pageOf<L extends List, Row>(
  list: L,
  found: readonly Row[],
  limit: number,
  positionOf: (row: Row) => Position<L>,
): { rows: Row[]; hasMore: boolean; nextCursor: string | undefined } {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const hasMore = found.length > limit;
  const nextCursor = hasMore && last !== undefined ? cursorOf(list, positionOf(last)) : undefined;
  return { rows, hasMore, nextCursor };
}

/** Encodes a cursor as text that is safe in a URL. It contains the list's name, so that other lists reject it. */
export const cursorOf = <L extends List>(list: L, position: Position<L>): string =>
  Buffer.from(JSON.stringify([list, ...position])).toString('base64url');

function readCursor<L extends List>(list: L, cursor: string): Position<L> {
  const [name, ...position] = parsed(cursor);
  const order: readonly string[] = orders[list];
  const fits =
    name === list &&
    position.length === order.length &&
    position.every((value, index) => typeof value === order[index] && isSortKey(value)) &&
    // A position has exactly one valid cursor: no other encoding of it is accepted.
    cursorOf(list, position as Position<L>) === cursor;
  if (!fits) throw invalid('cursor', 'must be a nextCursor of this list');
  return position as Position<L>;
}

function parsed(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

const isSortKey = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.length <= maxTextLength && value.isWellFormed()
    : Number.isSafeInteger(value) && (value as number) >= 0;
