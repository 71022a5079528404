import type { Sql } from '../storage/database.ts';
import type { Lost } from '../storage/databases.ts';
import type { Query } from './query.ts';

/** Messages of a conversation, both ends included. */
export type SeqRange = { conversationId: number; firstSeqId: number; lastSeqId: number };

/** What a message's searched text was and is; "" if there is none, as after a recall. */
export type TextChange = { seqId: number; before: string; after: string };

/** Where a search looks. */
export type Scope = {
  conversationIds: readonly number[];
  /** Only messages that were created in this time, Unix milliseconds, both ends included. */
  from: number;
  to: number;
  /** With it, databases that do not answer are left out, and noted there. */
  lost?: Lost | undefined;
};

/** A message that may be a hit. */
export type Candidate = { conversationId: number; seqId: number };

export type CandidateReader = {
  /**
   * The next candidates, roughly the newest first: about `count`, or fewer at the end, or if much was looked up for
   * them. All that are still to come were created at `bound` or earlier; it is -Infinity at the end.
   */
  next(count: number): Promise<{ candidates: Candidate[]; bound: number }>;
};

/**
 * The index of messages. It may name messages that are no hits, because whoever asks reads the messages and compares:
 * so it need not know who may read what, what was recalled, or what a word looks like exactly. But it must name every
 * hit, at most two seconds after its message was stored.
 */
export type SearchEngine = {
  /**
   * Takes up stored messages, all up to the last of each range that are not in the index yet. Answers how many it took, and
   * the ranges of which some are left. Taking up again changes nothing.
   */
  index(ranges: readonly SeqRange[]): Promise<{ indexed: number; left: SeqRange[] }>;
  /**
   * Returns the statements that make the index follow changes of messages, for the transaction that changes them. The caller
   * holds the lock of the conversation's head.
   */
  change(tx: Sql, conversationId: number, changes: readonly TextChange[]): Promise<string[]>;
  /** Builds the part of the index anew that has the message, and answers the first seq id after it. */
  rebuild(at: Candidate): Promise<{ indexed: number; nextSeqId: number }>;
  search(query: Query, scope: Scope): CandidateReader;
};
