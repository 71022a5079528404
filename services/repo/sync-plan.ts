/** Where one of the user's conversations stands. */
export type SyncRow = {
  id: number;
  type: number;
  updated_at: number;
  last_seq_id: number;
  last_message_at: number | null;
};

/** A conversation that the client has to hear of, and the last seq id that it holds. */
export type Entry = SyncRow & { cursor: number };

/** What goes into the answer: the seq ids from `first` to `last`, none when `last` is below `first`. */
export type Take = { id: number; first: number; last: number; more: boolean };

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
    const missing = Math.max(0, last_seq_id - cursor);
    const count = Math.min(missing, limits.each, left);
    takes.push({ id, first: cursor + 1, last: cursor + count, more: count < missing });
    left -= Math.max(1, count);
  }
  return { takes, cut: false };
}
