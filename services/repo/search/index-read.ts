import { chunks } from '../../../lib/chunks.ts';
import type { Database } from '../storage/database.ts';
import { type Databases, fromEach } from '../storage/databases.ts';
import { idsPerList } from '../storage/sql.ts';
import type { Candidate, CandidateReader, Scope, SearchEngine } from './engine.ts';
import { hex } from './index-rows.ts';
import { decodePlaces, decodeSamples, latestUpTo, placesOfTime, type Sample, seqIdAt } from './postings.ts';
import type { Query } from './query.ts';

/** A block of a conversation in the index, and when its messages were created. */
type BlockRow = { conversation_id: number; block: number; first_at: number; last_at: number };
type PlacesRow = { conversation_id: number; block: number; places: Buffer };
type TermRow = PlacesRow & { term: Buffer };
type SampleRow = { conversation_id: number; block: number; samples: Buffer };

/** A block with candidates: their places in descending order, and the latest time of the next one. */
type Open = { row: BlockRow; places: number[]; samples: Sample[]; bound: number };

/** Blocks that are looked up at once, at first; each further time it is twice as many. */
const firstBlocks = 48;
const mostBlocks = 512;
/** From this number of blocks on, a call answers with what it has, so that its caller can end the search. */
const blocksPerCall = 1024;

/**
 * Reads candidates from the newest block to the oldest, of all conversations together, and only as many blocks as are
 * needed: a common word is found in the newest ones.
 */
export function createIndexSearch({
  databases,
}: {
  databases: Pick<Databases, 'byShard'>;
}): SearchEngine['search'] {
  return (query, scope) => {
    let waiting: BlockRow[] | undefined;
    let position = 0;
    let atOnce = firstBlocks;
    let open: Open[] = [];

    async function openNext(blocks: readonly BlockRow[]): Promise<void> {
      const some = blocks.slice(position, position + atOnce);
      position += some.length;
      atOnce = Math.min(2 * atOnce, mostBlocks);
      const found = await fromEach(
        databases.byShard(some, ({ conversation_id }) => conversation_id),
        (database, own) => readPlaces(database, query, own),
        scope.lost,
      );
      for (const { row, places, samples } of found) {
        const within = placesWithin(row, places, samples, scope);
        const [first] = within;
        if (first !== undefined)
          open.push({ row, places: within, samples, bound: latestOf(row, samples, first) });
      }
    }

    return {
      async next(count) {
        waiting ??= await readBlocks(databases, scope);
        const candidates: Candidate[] = [];
        const lastPosition = position + blocksPerCall;
        while (true) {
          const best = newestOf(open);
          const next = waiting[position];
          const isNextNewest = next !== undefined && (!best || next.last_at >= best.bound);
          if (isNextNewest && position < lastPosition) {
            await openNext(waiting);
          } else if (!best || isNextNewest || candidates.length >= count) {
            return { candidates, bound: Math.max(best?.bound ?? -Infinity, next?.last_at ?? -Infinity) };
          } else {
            candidates.push(take(best));
            if (best.places.length === 0) open = open.filter((one) => one !== best);
          }
        }
      },
    } satisfies CandidateReader;
  };
}

function newestOf(open: readonly Open[]): Open | undefined {
  let newest: Open | undefined;
  for (const one of open) if (!newest || one.bound > newest.bound) newest = one;
  return newest;
}

function take(one: Open): Candidate {
  const { row, places, samples } = one;
  const place = places.shift() ?? 0;
  const [next] = places;
  if (next !== undefined) one.bound = latestOf(row, samples, next);
  return { conversationId: row.conversation_id, seqId: seqIdAt(row.block, place) };
}

/** The latest time at which a message up to a place may have been created. */
const latestOf = ({ last_at }: BlockRow, samples: readonly Sample[], place: number): number =>
  Math.min(last_at, latestUpTo(samples, place));

/** The places whose messages may be of that time, in descending order. */
function placesWithin(
  { first_at, last_at }: BlockRow,
  places: ReadonlySet<number>,
  samples: readonly Sample[],
  { from, to }: Scope,
): number[] {
  const within = placesOfTime(samples, first_at >= from ? -Infinity : from, last_at <= to ? Infinity : to);
  return [...places].filter((place) => place > within.after && place < within.before).sort((a, b) => b - a);
}

/** The blocks of the conversations that have messages of that time, the newest first. */
async function readBlocks(
  databases: Pick<Databases, 'byShard'>,
  { conversationIds, from, to, lost }: Scope,
): Promise<BlockRow[]> {
  const rows = await fromEach(
    databases.byShard(conversationIds, (id) => id),
    async (database, ids) => {
      // Index: the primary key.
      const results = await resultsOf<BlockRow>(
        database,
        chunks(ids, idsPerList).map(
          (some) =>
            `SELECT conversation_id, block, first_at, last_at FROM search_blocks
             WHERE conversation_id IN (${some}) AND last_at >= ${from} AND first_at <= ${to}`,
        ),
      );
      return results.flat();
    },
    lost,
  );
  return rows.sort((a, b) => b.last_at - a.last_at);
}

const keyOf = ({ conversation_id, block }: { conversation_id: number; block: number }): string =>
  `${conversation_id}:${block}`;

/** Looks a query's terms up in blocks: first those of whole words, then, where all occur, those that begin with its prefix. */
async function readPlaces(
  database: Database,
  { terms, termPrefix }: Query,
  blocks: readonly BlockRow[],
): Promise<{ row: BlockRow; places: ReadonlySet<number>; samples: Sample[] }[]> {
  const found = new Map(
    blocks.map((row) => [keyOf(row), { row, places: undefined as Set<number> | undefined }]),
  );
  const rowsLeft = (): BlockRow[] => Array.from(found.values(), ({ row }) => row);
  const narrow = (hits: ReadonlyMap<string, Set<number>>): void => {
    for (const [key, entry] of found) {
      const some = hits.get(key) ?? new Set();
      entry.places = entry.places === undefined ? some : intersection(entry.places, some);
      if (entry.places.size === 0) found.delete(key);
    }
  };

  if (terms.length > 0) {
    const condition = `term IN (${terms.map((term) => hex(Buffer.from(term)))})`;
    const byTerm = Map.groupBy(
      await readTerms<TermRow>(database, 'term, places', rowsLeft(), condition),
      ({ term }) => term.toString(),
    );
    for (const term of terms) narrow(union(byTerm.get(term) ?? []));
  }
  if (termPrefix !== undefined && found.size > 0) {
    const [first, after] = prefixRange(termPrefix);
    const condition = `term >= ${hex(first)} AND term < ${hex(after)}`;
    narrow(union(await readTerms<PlacesRow>(database, 'places', rowsLeft(), condition)));
  }
  if (found.size === 0) return [];
  const samples = new Map(
    (
      await resultsOf<SampleRow>(
        database,
        conditionsOf(rowsLeft()).map(
          (condition) => `SELECT conversation_id, block, samples FROM search_blocks WHERE ${condition}`,
        ),
      )
    )
      .flat()
      .map((row) => [keyOf(row), decodeSamples(row.samples)]),
  );
  return Array.from(found, ([key, { row, places = new Set<number>() }]) => ({
    row,
    places,
    samples: samples.get(key) ?? [],
  }));
}

async function readTerms<R extends PlacesRow>(
  database: Database,
  columns: string,
  blocks: readonly BlockRow[],
  condition: string,
): Promise<R[]> {
  // Index: the primary key.
  const results = await resultsOf<R>(
    database,
    conditionsOf(blocks).map(
      (where) =>
        `SELECT conversation_id, block, ${columns} FROM search_terms WHERE ${where} AND ${condition}`,
    ),
  );
  return results.flat();
}

/** SQL conditions that together name the blocks, few of them: by block if most conversations have one block, else by conversation. */
function conditionsOf(blocks: readonly BlockRow[]): string[] {
  const byBlock = Map.groupBy(blocks, ({ block }) => block);
  const byConversation = Map.groupBy(blocks, ({ conversation_id }) => conversation_id);
  return byBlock.size <= byConversation.size
    ? Array.from(
        byBlock,
        ([block, rows]) =>
          `conversation_id IN (${rows.map(({ conversation_id }) => conversation_id)}) AND block = ${block}`,
      )
    : Array.from(
        byConversation,
        ([id, rows]) => `conversation_id = ${id} AND block IN (${rows.map(({ block }) => block)})`,
      );
}

/** The rows of several statements, in one round trip. */
const resultsOf = async <R>(database: Database, statements: readonly string[]): Promise<R[][]> =>
  statements.length === 0 ? [] : ((await database.batch(statements.join(';\n'))) as R[][]);

/** The terms from the first to before the second begin with the prefix. No UTF-8 byte is 255. */
function prefixRange(prefix: string): [Buffer, Buffer] {
  const first = Buffer.from(prefix);
  const after = Buffer.from(first);
  after[after.length - 1] = (after.at(-1) ?? 0) + 1;
  return [first, after];
}

function union(rows: readonly PlacesRow[]): Map<string, Set<number>> {
  const places = new Map<string, Set<number>>();
  for (const row of rows) {
    const known = places.get(keyOf(row));
    const own = decodePlaces(row.places);
    if (known) for (const place of own) known.add(place);
    else places.set(keyOf(row), own);
  }
  return places;
}

const intersection = (a: ReadonlySet<number>, b: ReadonlySet<number>): Set<number> =>
  new Set([...a].filter((one) => b.has(one)));
