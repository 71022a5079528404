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
export type Take = {
  id: number;
  first: number;
  last: number;
  /** The conversation's last seq id, whose message is shown with it. */
  head: number;
  more: boolean;
  reset: boolean;
};

/** Text in one answer, well below what a gRPC message may hold. */
export const maxBytes = 3 * 1024 * 1024;
/** The longest message: 4,000 characters of four bytes each, and a hundred mentions. */
const longestMessage = 4000 * 4 + 100 * 20;
/** What a conversation and a message take besides their text. */
const overhead = { conversation: 500, message: 300 };

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
    const last = first + count - 1;
    takes.push({ id, first, last, head: last_seq_id, more: !reset && count < missing, reset });
    left -= Math.max(1, count);
  }
  return { takes, cut: false };
}

/** Whether a client holds a seq id that was never given. */
export const isBeyond = ({ cursor, last_seq_id }: Pick<Entry, 'cursor' | 'last_seq_id'>): boolean =>
  cursor > last_seq_id;

/** Whether what is planned might not fit, if all of it were as long as can be: then sizes are read before texts. */
export const mayNotFit = (takes: readonly Take[]): boolean =>
  takes.reduce((rows, { first, last }) => rows + 1 + Math.max(0, last - first + 1), 0) * longestMessage >
  maxBytes;

/** What is known of a plan's texts: bytes by conversation and seq id. */
export type Sizes = ReadonlyMap<number, ReadonlyMap<number, number>>;

/** Cuts a plan to what fits into one answer; `full` when not all of it does. At least one message of each is kept. */
export function cutToBytes(takes: readonly Take[], sizes: Sizes): { takes: Take[]; full: boolean } {
  const fitting: Take[] = [];
  let bytes = 0;
  for (const take of takes) {
    if (bytes > maxBytes) return { takes: fitting, full: true };
    const { id, first, last, head, reset } = take;
    const sizeOf = (seqId: number) => sizes.get(id)?.get(seqId) ?? 0;
    const planned = last - first + 1;
    bytes += overhead.conversation + sizeOf(head);
    let count = 0;
    // One at least, or the client would ask for ever.
    while (count < planned && (bytes <= maxBytes || count === 0)) {
      // Of what is to be the newest page, the oldest may be left out.
      bytes += overhead.message + sizeOf(reset ? last - count : first + count);
      count += 1;
    }
    const isCut = count < planned;
    fitting.push(
      reset
        ? { ...take, first: last - count + 1 }
        : { ...take, last: first + count - 1, more: take.more || isCut },
    );
  }
  return { takes: fitting, full: false };
}
