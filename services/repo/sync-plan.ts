/** Where one of the user's conversations stands. */
export type SyncRow = {
  id: number;
  type: number;
  updated_at: number;
  /** When it changed last for this user, but for messages. */
  changed_at: number;
  last_seq_id: number;
};

/** A conversation that the client has to hear of, and the last seq id that it holds. */
export type Entry = SyncRow & { cursor: number };

/**
 * What goes into the answer: the seq ids from `first` to `last`, none when `last` is below `first`. `reset`: the client
 * holds what was never stored, so it gets the newest page and begins anew.
 */
export type Take = { id: number; first: number; last: number; more: boolean; reset: boolean };

/** By the time of the oldest message that is missing; without one by the last activity. */
export function oldestFirst(entries: readonly Entry[], oldestMissing: ReadonlyMap<number, number>): Entry[] {
  const at = (entry: Entry): number => oldestMissing.get(entry.id) ?? entry.updated_at;
  return [...entries].sort((a, b) => at(a) - at(b) || a.id - b.id);
}

/**
 * Shares an answer out among the conversations in their order. Seq ids have no gaps, so what will be found is known
 * beforehand. A conversation without messages counts as one, so that the answer has a bound.
 */
export function planSync(
  entries: readonly Entry[],
  limits: { each: number; total: number },
): { takes: Take[]; cut: boolean } {
  const takes: Take[] = [];
  let left = limits.total;
  for (const { id, cursor, last_seq_id } of entries) {
    if (left === 0) return { takes, cut: true };
    const reset = isBeyond({ cursor, last_seq_id });
    const missing = reset ? last_seq_id : last_seq_id - cursor;
    const count = Math.min(missing, limits.each, left);
    const first = reset ? last_seq_id - count + 1 : cursor + 1;
    takes.push({ id, first, last: first + count - 1, more: !reset && count < missing, reset });
    left -= Math.max(1, count);
  }
  return { takes, cut: false };
}

/** Whether a client holds a seq id that was never given. */
export const isBeyond = ({ cursor, last_seq_id }: Pick<Entry, 'cursor' | 'last_seq_id'>): boolean =>
  cursor > last_seq_id;
