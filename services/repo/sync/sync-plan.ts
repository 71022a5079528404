import { limits } from '../../../lib/domain/limits.ts';
/** Where one of the user's conversations stands. */
export type SyncRow = {
  id: number;
  type: number;
  updated_at: number;
  /** When it changed last for this user, but for messages. */
  changed_at: number;
  last_seq_id: number;
  /** The other one, for single. */
  peer_id: number | null;
  /** Of its name, picture, description and announcement. */
  text_bytes: number;
};

/** One of the user's conversations and the last seq id that the client holds of it: 0 where it was not named. */
export type Entry = SyncRow & { cursor: number; named: boolean };

/**
 * What goes into the answer: the seq ids from `first` to `last`, none when `last` is below `first`. `reset`: the client
 * holds what was never stored, so it gets the newest page and begins anew.
 */
export type Take = {
  id: number;
  peerId: number | null;
  textBytes: number;
  first: number;
  last: number;
  /** The conversation's last seq id, whose message is shown with it. */
  head: number;
  more: boolean;
  reset: boolean;
};

/** Text in one answer, well below what a gRPC message may hold. */
export const maxBytes = 3 * 1024 * 1024;
/** The longest message: a character has up to four bytes, the id of a mention up to twenty with what is around it. */
const longestMessage = limits.messageContent * 4 + limits.mentions * 20;
/** What a conversation and a message take besides their text. */
const overhead = { conversation: 500, message: 300 };

/** Whether a client lacks something that its next cursors tell it has got: messages, or the conversation itself. */
export const isMissing = ({ named, cursor, last_seq_id }: Entry): boolean => !named || last_seq_id !== cursor;

/**
 * By the time of the oldest message that is missing. Without messages they come last, by their last activity: clients that do
 * not name an empty conversation must not be kept from messages by it.
 */
export function oldestFirst(entries: readonly Entry[], oldestMissing: ReadonlyMap<number, number>): Entry[] {
  const at = (entry: Entry): number => oldestMissing.get(entry.id) ?? entry.updated_at;
  const isEmpty = ({ last_seq_id }: Entry): number => (last_seq_id === 0 ? 1 : 0);
  return [...entries].sort((a, b) => isEmpty(a) - isEmpty(b) || at(a) - at(b) || a.id - b.id);
}

/**
 * Shares an answer out among the conversations in their order. Seq ids have no gaps, so what will be found is known
 * beforehand. A conversation without messages counts as one, so that the answer has a bound.
 */
export function planSync(
  entries: readonly Entry[],
  room: { each: number; total: number },
): { takes: Take[]; cut: boolean } {
  const takes: Take[] = [];
  let left = room.total;
  for (const { id, peer_id, text_bytes, cursor, last_seq_id } of entries) {
    if (left === 0) return { takes, cut: true };
    const reset = isBeyond({ cursor, last_seq_id });
    const missing = reset ? last_seq_id : last_seq_id - cursor;
    const count = Math.min(missing, room.each, left);
    const first = reset ? last_seq_id - count + 1 : cursor + 1;
    const last = first + count - 1;
    takes.push({
      id,
      peerId: peer_id,
      textBytes: text_bytes,
      first,
      last,
      head: last_seq_id,
      more: !reset && count < missing,
      reset,
    });
    left -= Math.max(1, count);
  }
  return { takes, cut: false };
}

/** Whether a client holds a seq id that was never given. */
export const isBeyond = ({ cursor, last_seq_id }: Pick<Entry, 'cursor' | 'last_seq_id'>): boolean =>
  cursor > last_seq_id;

/** A conversation that only changed: it is shown without messages of its own. */
const withoutMessages = ({ id, peer_id, text_bytes, last_seq_id }: Entry): Take => ({
  id,
  peerId: peer_id,
  textBytes: text_bytes,
  first: last_seq_id + 1,
  last: last_seq_id,
  head: last_seq_id,
  more: false,
  reset: false,
});

/** Whether what is planned might not fit, if all of it were as long as can be: then sizes are read before texts. */
export const mayNotFit = (takes: readonly Take[]): boolean =>
  takes.reduce(
    (bytes, { first, last, textBytes }) =>
      bytes + textBytes + (1 + Math.max(0, last - first + 1)) * longestMessage,
    0,
  ) > maxBytes;

/** What is known of a plan's texts, in bytes: of messages by conversation and seq id, with their senders' cards. */
export type Sizes = {
  messages: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** Of the cards of single conversations' peers. */
  peers: ReadonlyMap<number, number>;
};

const messageBytes = ({ messages }: Sizes, id: number, seqId: number): number =>
  messages.get(id)?.get(seqId) ?? 0;

/** A conversation with its last message. */
const conversationBytes = (sizes: Sizes, { id, head, textBytes, peerId }: Take): number =>
  overhead.conversation +
  textBytes +
  (peerId === null ? 0 : (sizes.peers.get(peerId) ?? 0)) +
  messageBytes(sizes, id, head);

/** Cuts a plan to what fits into one answer; `full` when not all of it does. At least one message of each is kept. */
export function cutToBytes(
  takes: readonly Take[],
  sizes: Sizes,
): { takes: Take[]; full: boolean; bytes: number } {
  const fitting: Take[] = [];
  let bytes = 0;
  for (const take of takes) {
    const { id, first, last, reset } = take;
    bytes += conversationBytes(sizes, take);
    // One at least, or the client would ask for ever.
    if (bytes > maxBytes && fitting.length > 0) return { takes: fitting, full: true, bytes };
    const planned = last - first + 1;
    let count = 0;
    while (count < planned && (bytes <= maxBytes || count === 0)) {
      // Of what is to be the newest page, the oldest may be left out.
      bytes += overhead.message + messageBytes(sizes, id, reset ? last - count : first + count);
      count += 1;
    }
    const isCut = count < planned;
    fitting.push(
      reset
        ? { ...take, first: last - count + 1 }
        : { ...take, last: first + count - 1, more: take.more || isCut },
    );
  }
  return { takes: fitting, full: false, bytes };
}

/** More that only changed does not fit into an answer, however short its texts are. */
export const mostChanged = Math.floor(maxBytes / overhead.conversation);

/** The conversations that only changed, the oldest change first, and what each puts into an answer. */
export function planChanges(entries: readonly Entry[]): { at: number; take: Take }[] {
  return entries
    .filter((entry) => !isMissing(entry))
    .sort((a, b) => a.changed_at - b.changed_at || a.id - b.id)
    .map((entry) => ({ at: entry.changed_at, take: withoutMessages(entry) }));
}

/** How many of these takes fit behind what an answer has already. */
export function countFitting(takes: readonly Take[], sizes: Sizes, bytes: number): number {
  let sum = bytes;
  const at = takes.findIndex((take) => {
    sum += conversationBytes(sizes, take);
    return sum > maxBytes;
  });
  return at === -1 ? takes.length : at;
}

/**
 * Cuts rows that are in the order of their times to the first `count`, and tells up to which time all of them are told:
 * nothing of one time is told in part, or whoever asks since that time would miss the rest. `some`: rather all rows of the
 * first time than none.
 */
export function cutBetweenTimes<T extends { at: number }>(
  rows: readonly T[],
  count: number,
  { some }: { some: boolean },
): { told: T[]; until: number | undefined } {
  const next = rows[count];
  if (!next) return { told: [...rows], until: undefined };
  const told = rows.filter(({ at }) => at < next.at);
  if (told.length > 0 || !some) return { told, until: next.at - 1 };
  return { told: rows.filter(({ at }) => at === next.at), until: next.at };
}
