import { chunks } from '../../../lib/chunks.ts';
import { isTrue } from '../storage/sql.ts';
import { blockOf, encodePlaces, encodeSamples, isSampled, placeOf, type Sample } from './postings.ts';
import { searchedText } from './searched-text.ts';
import { termsOf } from './terms.ts';

/** What the index reads of a message. */
export type IndexedRow = {
  conversation_id: number;
  seq_id: number;
  message_type: number;
  content: string;
  deleted: number;
  created_at: number;
};

export const indexedColumns = 'conversation_id, seq_id, message_type, content, deleted, created_at';

type Block = {
  conversationId: number;
  block: number;
  firstAt: number;
  lastAt: number;
  samples: Sample[];
  places: Map<string, number[]>;
};

/** Rows per statement: each is parsed as a whole. */
const rowsPerStatement = 1000;

/** Returns the statements that add messages to the index, in the order of the primary keys. */
export function addStatements(messages: readonly IndexedRow[]): string[] {
  const blocks = blocksOf(messages);
  const terms = blocks.flatMap(({ conversationId, block, places }) =>
    Array.from(places, ([term, some]) => ({ key: Buffer.from(term), places: some }))
      .sort((a, b) => Buffer.compare(a.key, b.key))
      .map(({ key, places: some }) => `(${conversationId},${block},${hex(key)},${hex(encodePlaces(some))})`),
  );
  const times = blocks.map(
    ({ conversationId, block, firstAt, lastAt, samples }) =>
      `(${conversationId},${block},${firstAt},${lastAt},${hex(encodeSamples(samples))})`,
  );
  return [
    ...(times.length === 0
      ? []
      : [
          `INSERT INTO search_blocks (conversation_id, block, first_at, last_at, samples) VALUES ${times}
           ON DUPLICATE KEY UPDATE first_at = LEAST(first_at, VALUES(first_at)),
             last_at = GREATEST(last_at, VALUES(last_at)), samples = CONCAT(samples, VALUES(samples))`,
        ]),
    ...chunks(terms, rowsPerStatement).map(
      (rows) =>
        `INSERT INTO search_terms (conversation_id, block, term, places) VALUES ${rows}
         ON DUPLICATE KEY UPDATE places = CONCAT(places, VALUES(places))`,
    ),
  ];
}

function blocksOf(messages: readonly IndexedRow[]): Block[] {
  const blocks = new Map<string, Block>();
  for (const message of messages) {
    const { conversation_id: conversationId, seq_id: seqId, created_at: at } = message;
    const block = blockOf(seqId);
    const place = placeOf(seqId);
    const key = `${conversationId}:${block}`;
    let entry = blocks.get(key);
    if (!entry) {
      entry = { conversationId, block, firstAt: at, lastAt: at, samples: [], places: new Map() };
      blocks.set(key, entry);
    }
    entry.firstAt = Math.min(entry.firstAt, at);
    entry.lastAt = Math.max(entry.lastAt, at);
    if (isSampled(place)) entry.samples.push({ place, at });
    for (const term of termsOfRow(message)) {
      const places = entry.places.get(term);
      if (places) places.push(place);
      else entry.places.set(term, [place]);
    }
  }
  return [...blocks.values()].sort((a, b) => a.conversationId - b.conversationId || a.block - b.block);
}

function termsOfRow({ deleted, message_type: messageType, content }: IndexedRow): Set<string> {
  return isTrue(deleted) ? new Set() : termsOf(searchedText({ messageType, content }).text);
}

/** Bytes as an SQL literal. */
export const hex = (bytes: Buffer): string => `X'${bytes.toString('hex')}'`;
