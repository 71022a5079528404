import { limits } from './limits.ts';
import { invalid } from './refusals.ts';

/** What a page is asked for by: so many rows from an offset on, or from behind the row that a cursor stands for. */
export type PageRequest = {
  limit?: number | undefined;
  offset?: number | undefined;
  cursor?: string | undefined;
};

export type Paging<L extends List> = {
  limit: number;
  offset: number;
  /** The position of the last row of the page before. */
  after: Position<L> | undefined;
};

/**
 * The lists, and by what the rows of each are ordered: the values that a cursor carries. They name a place in the
 * order and not a count of rows, so a cursor holds whatever comes or goes in front of it, in every process and after
 * every restart.
 */
const orders = {
  /** updatedAt and id, both falling. */
  conversations: ['number', 'number'],
  /** The user's id, rising. */
  members: ['number'],
  /** The friend's id, rising. */
  friends: ['number'],
  /** The user's id and the friend's, both rising. */
  'friend ids': ['number', 'number'],
  /** The request's id, falling. */
  'friend requests': ['number'],
  /** When it was blocked and the user's id, both falling. */
  blocks: ['number', 'number'],
  /** When it began and its id, both falling. */
  sessions: ['number', 'string'],
} as const;

export type List = keyof typeof orders;
export type Position<L extends List> = ValuesOf<(typeof orders)[L]>;
type ValuesOf<O extends readonly string[]> = {
  -readonly [K in keyof O]: O[K] extends 'string' ? string : number;
};

const longestText = 64;

/** INVALID_ARGUMENT for a limit, offset or cursor that can't be, and for a cursor beside an offset. */
export function readPaging<L extends List>(
  list: L,
  request: PageRequest,
  most: number = limits.page.most,
): Paging<L> {
  const { offset = 0, cursor } = request;
  const limit = pageSize(request.limit ?? 0, { usual: limits.page.usual, most });
  if (!Number.isSafeInteger(offset) || offset < 0) throw invalid('offset', 'must not be negative');
  if (cursor === undefined) return { limit, offset, after: undefined };
  if (offset > 0) throw invalid('cursor', 'must not be given together with offset');
  return { limit, offset, after: readCursor(list, cursor) };
}

/** A page's size: 0 means the usual one. */
export function pageSize(limit: number, { usual, most }: Readonly<{ usual: number; most: number }>): number {
  if (limit === 0) return usual;
  if (limit < 1 || limit > most) throw invalid('limit', `must be 1 to ${most}`);
  return limit;
}

/** A page out of what was found for it, which is one row more than the page has where another one follows. */
export function pageOf<L extends List, Row>(
  list: L,
  found: readonly Row[],
  limit: number,
  positionOf: (row: Row) => Position<L>,
): { rows: Row[]; hasMore: boolean; nextCursor: string | undefined } {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const hasMore = found.length > limit;
  const nextCursor = hasMore && last !== undefined ? writeCursor(list, positionOf(last)) : undefined;
  return { rows, hasMore, nextCursor };
}

/** Text that is safe in an address. The list's name stands in it, so that no other list takes it for its own. */
const writeCursor = <L extends List>(list: L, position: Position<L>): string =>
  Buffer.from(JSON.stringify([list, ...position])).toString('base64url');

function readCursor<L extends List>(list: L, cursor: string): Position<L> {
  const [name, ...position] = parsed(cursor);
  const order: readonly string[] = orders[list];
  const fits =
    name === list &&
    position.length === order.length &&
    position.every((value, index) => typeof value === order[index] && isPlace(value)) &&
    // Each position has one cursor.
    writeCursor(list, position as Position<L>) === cursor;
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

const isPlace = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.length <= longestText && value.isWellFormed()
    : Number.isSafeInteger(value) && (value as number) >= 0;
