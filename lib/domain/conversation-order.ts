import type { Position } from './paging.ts';

type ConversationPosition = Position<'conversations'>;

/**
 * Compares two conversations for the order "newest first": by the time of the last change or the last message,
 * whichever is later; at the same time, by id, the higher one first.
 */
export const newestFirst = ([timeA, idA]: ConversationPosition, [timeB, idB]: ConversationPosition): number =>
  timeB - timeA || idB - idA;

/** The rows that follow the position `after` in the order; all rows if `after` is undefined. */
export const rowsAfter = <T>(
  rows: readonly T[],
  after: ConversationPosition | undefined,
  positionOf: (row: T) => ConversationPosition,
): readonly T[] => (after ? rows.filter((row) => newestFirst(after, positionOf(row)) < 0) : rows);
