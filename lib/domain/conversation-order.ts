import type { Position } from './paging.ts';

type Place = Position<'conversations'>;

/** Newest first: by the later of the last change and the last message; of the same moment, the one made later. */
export const newestFirst = ([timeA, idA]: Place, [timeB, idB]: Place): number => timeB - timeA || idB - idA;

/** Those behind a place of the order; all of them without one. */
export const behind = <T>(
  rows: readonly T[],
  after: Place | undefined,
  placeOf: (row: T) => Place,
): readonly T[] => (after ? rows.filter((row) => newestFirst(after, placeOf(row)) < 0) : rows);
