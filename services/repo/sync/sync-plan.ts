import { limits } from '../../../lib/domain/limits.ts';

/** The state of one of the user's conversations. Times are in Unix milliseconds. */
export type SyncRow = {
  id: number;
  type: number;
  updated_at: number;
  /** The last change for this user, of the conversation, the membership or the read pointer. Messages don't count. */
  changed_at: number;
  last_seq_id: number;
  last_change_seq: number;
  /** Messages up to this seq id are archived. */
  cold_until_seq: number;
  /** The other user in a single conversation. */
  peer_id: number | null;
  /** The size of its name, avatar URL, description and announcement. */
  text_bytes: number;
};

/** One of the user's conversations, and the last seq id that the client has of it: 0 if the request did not name it. */
export type Entry = SyncRow & { cursor: number; named: boolean };

/**
 * What the answer contains of one conversation: the messages with seq ids `first` to `last`, none if `last` is below
 * `first`. `reset`: the client's cursor is beyond the head, so the client starts again with the newest page.
 */
export type Take = {
  id: number;
  peerId: number | null;
  textBytes: number;
  first: number;
  last: number;
  /** The conversation's last seq id. Its message is the conversation's `lastMessage`. */
  head: number;
  /** The last seq id that is archived. */
  coldUntil: number;
  /** True if further messages are missing after `last`. */
  more: boolean;
  reset: boolean;
};

/** An answer has archived messages of this many conversations at most: each costs a request to the store. */
const maxColdTakes = 40;

/** True if some of the messages are archived. */
export const isCold = ({ first, last, coldUntil }: Take): boolean => first <= Math.min(last, coldUntil);

/** The budget of bytes for one answer, well below the limit of a gRPC message. */
export const maxBytes = 3 * 1024 * 1024;
/** Bytes of the longest message: up to four per character, up to twenty per mentioned id in JSON, and the metadata. */
const maxMessageBytes =
  limits.messageContent * 4 +
  limits.mentions * 20 +
  limits.metadataBytes +
  limits.reactionKinds * (limits.reactionUsers * 20 + 100);
/** Estimated bytes of a conversation and of a message besides their texts. */
const overhead = { conversation: 500, message: 300 };

/**
 * True if the client lacks messages, or the conversation itself. The client's next cursors show that it got them, so
 * such an entry does not depend on `since`.
 */
export const isMissing = ({ named, cursor, last_seq_id }: Entry): boolean => !named || last_seq_id !== cursor;

/**
 * Sorts by the time of the oldest missing message. Empty conversations come last, by their last activity: a client that
 * never names them in its cursors must still get messages.
 */
export function oldestFirst(entries: readonly Entry[], oldestMissing: ReadonlyMap<number, number>): Entry[] {
  const at = (entry: Entry): number => oldestMissing.get(entry.id) ?? entry.updated_at;
  const isEmpty = ({ last_seq_id }: Entry): number => (last_seq_id === 0 ? 1 : 0);
  return [...entries].sort((a, b) => isEmpty(a) - isEmpty(b) || at(a) - at(b) || a.id - b.id);
}

/**
 * Divides the limits of an answer among the conversations, in their order. Seq ids have no gaps, so the number of
 * messages is known without a query. A conversation without messages counts as one message, so that the answer is
 * bounded. `cut`: conversations at the end got nothing.
 */
export function planSync(
  entries: readonly Entry[],
  messageLimits: { perConversation: number; total: number },
): { takes: Take[]; cut: boolean } {
  const takes: Take[] = [];
  let left = messageLimits.total;
  let cold = 0;
  for (const { id, peer_id, text_bytes, cursor, last_seq_id, cold_until_seq } of entries) {
    if (left === 0 || cold === maxColdTakes) return { takes, cut: true };
    const reset = isBeyond({ cursor, last_seq_id });
    const missing = reset ? last_seq_id : last_seq_id - cursor;
    const count = Math.min(missing, messageLimits.perConversation, left);
    const first = reset ? last_seq_id - count + 1 : cursor + 1;
    const last = first + count - 1;
    const take = {
      id,
      peerId: peer_id,
      textBytes: text_bytes,
      first,
      last,
      head: last_seq_id,
      coldUntil: cold_until_seq,
      more: !reset && count < missing,
      reset,
    };
    takes.push(take);
    if (isCold(take)) cold += 1;
    left -= Math.max(1, count);
  }
  return { takes, cut: false };
}

/** True if the client has a seq id that was never assigned. */
export const isBeyond = ({ cursor, last_seq_id }: Pick<Entry, 'cursor' | 'last_seq_id'>): boolean =>
  cursor > last_seq_id;

/** The entry of a conversation that changed, but of which the client lacks no messages. */
const withoutMessages = ({ id, peer_id, text_bytes, last_seq_id, cold_until_seq }: Entry): Take => ({
  id,
  peerId: peer_id,
  textBytes: text_bytes,
  first: last_seq_id + 1,
  last: last_seq_id,
  head: last_seq_id,
  coldUntil: cold_until_seq,
  more: false,
  reset: false,
});

/**
 * True if the plan would exceed the budget with messages of the greatest length. The caller then reads the actual sizes
 * before the texts.
 */
export const mayExceedBudget = (takes: readonly Take[]): boolean =>
  takes.reduce(
    (bytes, { first, last, textBytes }) =>
      bytes + textBytes + (1 + Math.max(0, last - first + 1)) * maxMessageBytes,
    0,
  ) > maxBytes;

/** The sizes of a plan's texts in bytes. Messages are by conversation and seq id, and include their senders' cards. */
export type Sizes = {
  messages: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** The cards of the peers in single conversations, by user id. */
  peers: ReadonlyMap<number, number>;
};

const messageBytes = ({ messages }: Sizes, id: number, seqId: number): number =>
  messages.get(id)?.get(seqId) ?? 0;

/** The bytes of a conversation with its last message and its peer's card. */
const conversationBytes = (sizes: Sizes, { id, head, textBytes, peerId }: Take): number =>
  overhead.conversation +
  textBytes +
  (peerId === null ? 0 : (sizes.peers.get(peerId) ?? 0)) +
  messageBytes(sizes, id, head);

/**
 * Cuts a plan to the budget. `full`: conversations at the end did not fit. Each remaining conversation keeps at least
 * one of its planned messages, so the last one may exceed the budget. `bytes`: the estimated size, above the budget if
 * `full`.
 */
export function cutToBytes(
  takes: readonly Take[],
  sizes: Sizes,
): { takes: Take[]; full: boolean; bytes: number } {
  const fitting: Take[] = [];
  let bytes = 0;
  for (const take of takes) {
    const { id, first, last, reset } = take;
    bytes += conversationBytes(sizes, take);
    // At least one conversation is kept. An empty answer would make the client ask forever.
    if (bytes > maxBytes && fitting.length > 0) return { takes: fitting, full: true, bytes };
    const planned = last - first + 1;
    let count = 0;
    while (count < planned && (bytes <= maxBytes || count === 0)) {
      // A reset gives the newest page, so its oldest messages are left out.
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

/** The most changed conversations that can fit into an answer, if they have no texts. */
export const maxChangedConversations = Math.floor(maxBytes / overhead.conversation);

/** The conversations that changed, but of which the client lacks no messages; the oldest change first. */
export function planChanges(entries: readonly Entry[]): { at: number; take: Take }[] {
  return entries
    .filter((entry) => !isMissing(entry))
    .sort((a, b) => a.changed_at - b.changed_at || a.id - b.id)
    .map((entry) => ({ at: entry.changed_at, take: withoutMessages(entry) }));
}

/** How many of these takes still fit into an answer that has `bytes` already. */
export function countFitting(takes: readonly Take[], sizes: Sizes, bytes: number): number {
  let sum = bytes;
  const at = takes.findIndex((take) => {
    sum += conversationBytes(sizes, take);
    return sum > maxBytes;
  });
  return at === -1 ? takes.length : at;
}

/**
 * Cuts rows, which are sorted by time, to at most the first `count`. Rows with the same time stay together: a client
 * that asks again since that time would miss the others. `until` is the time up to which `kept` is complete; undefined
 * if nothing was cut. `keepFirst`: keeps all rows of the first time instead of none, even if more than `count`.
 */
export function cutBetweenTimes<T extends { at: number }>(
  rows: readonly T[],
  count: number,
  { keepFirst }: { keepFirst: boolean },
): { kept: T[]; until: number | undefined } {
  const next = rows[count];
  if (!next) return { kept: [...rows], until: undefined };
  const kept = rows.filter(({ at }) => at < next.at);
  if (kept.length > 0 || !keepFirst) return { kept, until: next.at - 1 };
  return { kept: rows.filter(({ at }) => at === next.at), until: next.at };
}
