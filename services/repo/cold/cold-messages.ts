// Room: messages that were moved out of the database into objects of a store: the files, where each message is, and
// reading them. Moving them there, and changing them, belongs to the rooms above.

import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { MessageRow } from '../rows/message-rows.ts';
import type { Databases } from '../storage/databases.ts';
import type { ArchivedMessage } from './archived-message.ts';
import {
  type ColdSegment,
  readSegmentsBetween,
  readSegmentsOfMessage,
  readSegmentsOfTimes,
} from './cold-segments.ts';
import type { ColdStore } from './cold-store.ts';
import { ColdObjectFault, createRowGroupReader } from './row-group-reader.ts';

/** A range of seq ids, both ends included. */
export type SeqRange = { first: number; last: number };

export type ColdMessages = ReturnType<typeof createColdMessages>;

/**
 * Reads archived messages. A row in messages with the same seq id is always newer: a message that changes after it was
 * archived gets its row back. So callers read the database first, and ask here only for what it does not have.
 * Everything rejects with UNAVAILABLE, and never answers less than there is, while the store cannot be read.
 */
export function createColdMessages(deps: {
  databases: Databases;
  /** Undefined if the configuration names none. */
  store: ColdStore | undefined;
  log: Logger;
  metrics: Metrics;
}) {
  const { databases, store, log, metrics } = deps;
  const reader = store && createRowGroupReader({ store: store.objects, log, metrics });
  const faults = metrics.counter(
    'gochat_cold_faults_total',
    'Cold objects that are missing or damaged, and archived messages that no object has.',
    ['kind'],
  );
  for (const kind of ['missing', 'damaged', 'gap']) faults.inc({ kind }, 0);

  /** Counts and logs a fault of an object, which an operator must mend. */
  function fail(error: unknown): never {
    if (!(error instanceof ColdObjectFault)) throw error;
    faults.inc({ kind: error.kind });
    log.error({ err: error }, 'archived messages cannot be read');
    const refusal = new GoChatError('UNAVAILABLE', 'Old messages cannot be read right now. Try again.');
    refusal.cause = error;
    throw refusal;
  }

  /** The messages of segments, each list in the order of its seq ids. Rejects with ColdObjectFault or UNAVAILABLE. */
  async function read(
    segments: readonly ColdSegment[],
    options?: { keep?: boolean },
  ): Promise<ArchivedMessage[][]> {
    if (segments.length === 0) return [];
    if (!store || !reader) {
      throw new GoChatError('UNAVAILABLE', 'No store of old messages is configured. Try again.');
    }
    await store.requireMarker();
    const groups = await reader.read(segments, options);
    return segments.map((segment, index) => {
      const { conversationId, firstSeqId, lastSeqId } = segment;
      const rows = (groups[index] ?? []).filter(
        (row) =>
          row.conversation_id === conversationId && row.seq_id >= firstSeqId && row.seq_id <= lastSeqId,
      );
      if (rows.length !== lastSeqId - firstSeqId + 1) {
        throw new ColdObjectFault('damaged', `the object ${segment.objectKey} lacks messages`);
      }
      return rows;
    });
  }

  /** Reads segments that `find` finds, once more if their objects were replaced meanwhile. */
  async function readFound<T>(find: () => Promise<T>, segmentsOf: (found: T) => readonly ColdSegment[]) {
    const found = await find();
    try {
      return { found, rows: (await read(segmentsOf(found))).flat() };
    } catch (error) {
      if (!(error instanceof ColdObjectFault) || error.kind !== 'missing') return fail(error);
      const again = await find();
      const rows = await read(segmentsOf(again)).catch(fail);
      return { found: again, rows: rows.flat() };
    }
  }

  /** Archived messages of a conversation by seq id, ascending. Seq ids that are not archived have no row. */
  async function bySeqIds(conversationId: number, seqIds: readonly number[]): Promise<ArchivedMessage[]> {
    if (seqIds.length === 0) return [];
    const wanted = new Set(seqIds);
    const range = [Math.min(...seqIds), Math.max(...seqIds)] as const;
    const database = databases.messagesOf(conversationId);
    const { found, rows } = await readFound(
      () => readSegmentsBetween(database, conversationId, ...range),
      ({ segments }) =>
        segments.filter(({ firstSeqId, lastSeqId }) =>
          seqIds.some((seqId) => seqId >= firstSeqId && seqId <= lastSeqId),
        ),
    );
    const archived = rows.filter(({ seq_id }) => wanted.has(seq_id));
    const expected = seqIds.filter((seqId) => seqId <= found.coldUntilSeqId).length;
    if (archived.length < expected) {
      fail(
        new ColdObjectFault(
          'gap',
          `archived messages of the conversation ${conversationId} are in no object`,
        ),
      );
    }
    return archived;
  }

  return {
    bySeqIds,
    read,
    fail,
    /** An archived message by its id. */
    async byId(conversationId: number, messageId: number): Promise<ArchivedMessage | undefined> {
      if (!Number.isSafeInteger(messageId)) return undefined;
      const database = databases.messagesOf(conversationId);
      const { rows } = await readFound(
        () => readSegmentsOfMessage(database, conversationId, messageId),
        (segments) => segments,
      );
      return rows.find(({ id }) => id === messageId);
    },

    /** The archived messages that were stored between two times, both included, and perhaps some others. */
    async betweenTimes(conversationId: number, from: number, to: number): Promise<ArchivedMessage[]> {
      const { rows } = await readFound(
        () => readSegmentsOfTimes(databases.messagesOf(conversationId), conversationId, from, to),
        (segments) => segments,
      );
      return rows;
    },

    /**
     * Adds to rows from the database the archived messages of a range. Rows outside of the range are left out. Ascending by seq id.
     */
    async complete<R extends MessageRow>(
      conversationId: number,
      rows: readonly R[],
      { first, last }: SeqRange,
    ): Promise<(R | ArchivedMessage)[]> {
      const inRange = rows.filter(({ seq_id }) => seq_id >= first && seq_id <= last);
      const sorted = inRange.sort((a, b) => a.seq_id - b.seq_id);
      if (sorted.length === last - first + 1 || last < first) return sorted;
      const archived = await bySeqIds(conversationId, missingFrom(sorted, { first, last }));
      return archived.length === 0 ? sorted : [...sorted, ...archived].sort((a, b) => a.seq_id - b.seq_id);
    },
  };
}

/** The seq ids of a range that no row has. */
function missingFrom(rows: readonly { seq_id: number }[], { first, last }: SeqRange): number[] {
  const present = new Set(rows.map(({ seq_id }) => seq_id));
  const missing: number[] = [];
  for (let seqId = first; seqId <= last; seqId++) if (!present.has(seqId)) missing.push(seqId);
  return missing;
}
