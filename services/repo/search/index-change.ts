import { formatSql, type Sql } from '../storage/database.ts';
import type { SearchEngine, TextChange } from './engine.ts';
import { hex } from './index-rows.ts';
import { lockHeads } from './index-write.ts';
import { blockOf, decodePlaces, encodePlaces, placeOf } from './postings.ts';
import { termsOf } from './terms.ts';

type Row = { block: number; term: Buffer; places: Buffer };

/** Terms of a block, by their bytes in hexadecimal, with places to add or take away. */
type Places = Map<string, Set<number>>;
type BlockChange = { block: number; gone: Places; come: Places };

/**
 * The index follows edits and recalls in the transaction that changes the messages, so that no word of a message that was
 * taken back stays in it. A message that is not in the index yet is left out: the index reads it later as it is then.
 */
export const changeIndex: SearchEngine['change'] = async (tx, conversationId, changes) => {
  if (changes.length === 0) return [];
  const lastSeqId = (await lockHeads(tx, [conversationId])).get(conversationId) ?? 0;
  const blocks = blockChanges(changes.filter(({ seqId }) => seqId <= lastSeqId));
  const present = await readTerms(tx, conversationId, blocks);
  const emptied: string[] = [];
  const written: string[] = [];
  for (const { block, gone, come } of blocks) {
    for (const [term, places] of gone) {
      const stored = present.get(`${block}:${term}`);
      if (!stored) continue;
      for (const place of places) stored.delete(place);
      if (stored.size === 0) emptied.push(`(block = ${block} AND term = X'${term}')`);
      else written.push(row(conversationId, block, term, stored));
    }
    for (const [term, places] of come) {
      const stored = present.get(`${block}:${term}`);
      written.push(row(conversationId, block, term, new Set([...(stored ?? []), ...places])));
    }
  }
  return [
    ...(emptied.length === 0
      ? []
      : [`DELETE FROM search_terms WHERE conversation_id = ${conversationId} AND (${emptied.join(' OR ')})`]),
    ...(written.length === 0
      ? []
      : [
          `INSERT INTO search_terms (conversation_id, block, term, places) VALUES ${written}
           ON DUPLICATE KEY UPDATE places = VALUES(places)`,
        ]),
  ];
};

const row = (conversationId: number, block: number, term: string, places: Set<number>): string =>
  `(${conversationId},${block},X'${term}',${hex(encodePlaces(places))})`;

function blockChanges(changes: readonly TextChange[]): BlockChange[] {
  const blocks = new Map<number, BlockChange>();
  for (const { seqId, before, after } of changes) {
    const block = blockOf(seqId);
    const change = blocks.get(block) ?? { block, gone: new Map(), come: new Map() };
    blocks.set(block, change);
    const [old, fresh] = [termsOf(before), termsOf(after)];
    for (const term of old) if (!fresh.has(term)) note(change.gone, term, seqId);
    for (const term of fresh) if (!old.has(term)) note(change.come, term, seqId);
  }
  return [...blocks.values()];
}

function note(places: Places, term: string, seqId: number): void {
  const key = Buffer.from(term).toString('hex');
  const some = places.get(key);
  if (some) some.add(placeOf(seqId));
  else places.set(key, new Set([placeOf(seqId)]));
}

async function readTerms(
  tx: Sql,
  conversationId: number,
  blocks: readonly BlockChange[],
): Promise<Map<string, Set<number>>> {
  const wanted = blocks.flatMap(({ block, gone, come }) => {
    const terms = [...gone.keys(), ...come.keys()].map((term) => `X'${term}'`);
    return terms.length === 0 ? [] : [`(block = ${block} AND term IN (${terms}))`];
  });
  if (wanted.length === 0) return new Map();
  const rows = await tx.query<Row>(
    // Index: the primary key.
    formatSql(
      `SELECT block, term, places FROM search_terms WHERE conversation_id = ? AND (${wanted.join(' OR ')})`,
      [conversationId],
    ),
  );
  return new Map(
    rows.map(({ block, term, places }) => [`${block}:${term.toString('hex')}`, decodePlaces(places)]),
  );
}
