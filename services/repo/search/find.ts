import { conversationType } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { cursorOf, type Position, pageOf, readPaging } from '../../../lib/domain/paging.ts';
import type {
  SearchHit,
  SearchMessagesRequest,
  SearchMessagesResponse,
} from '../../../lib/gen/im_repo/v1/search.ts';
import type { Cache } from '../cache/cache.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { unavailable } from '../connections/database-errors.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { conversationIdOf, noAccess, notMember } from '../rows/conversation-access.ts';
import { readBasics } from '../rows/conversation-basic.ts';
import { isAmong, type Membership, readMemberships, userMemberships } from '../rows/memberships.ts';
import {
  fromMessageRow,
  type MessageRow,
  messageColumns,
  type StoredMessage,
  toMessage,
} from '../rows/message-rows.ts';
import { cardOf, type UserCards } from '../rows/user-cards.ts';
import { type Databases, fromEach, type Lost, noteLost } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';
import type { Candidate, SearchEngine } from './engine.ts';
import { type Highlight, match, parseQuery, type Query } from './query.ts';
import { searchedText } from './searched-text.ts';

type Hit = { message: StoredMessage; highlights: Highlight[] };
/** A candidate whose text is not read yet. */
type Dated = Candidate & { id: number; createdAt: number };
type DatedRow = Pick<
  MessageRow,
  'conversation_id' | 'seq_id' | 'id' | 'sender_id' | 'deleted' | 'created_at'
>;
type Wanted = {
  query: Query;
  senderId: string | undefined;
  from: number;
  before: Time;
  /** The databases that do not answer, if the search goes on without them. */
  lost: Lost | undefined;
};

/** The candidates that are read first; each further time it is the double. */
const firstCandidates = 4;
const mostCandidates = 1000;
/** From this number of messages on, a call reads no more: the next page continues behind them. */
const enoughRead = 4000;
/** So it does after this time, as in a search for two common words that hardly ever occur together. */
const enoughMs = 1000;

/**
 * Finds messages by their words, the newest first, in the conversations that the user is a member of now. The engine
 * only proposes candidates: each one's message is read and compared, so that what was recalled or changed is no hit,
 * whatever the index says.
 */
export function createFind(deps: {
  databases: Databases;
  cache: Cache;
  cold: Pick<ColdMessages, 'bySeqIds'>;
  userCards: UserCards;
  engine: Pick<SearchEngine, 'search'>;
  links: FileLinks;
}) {
  const { databases, cache, cold, userCards, engine, links } = deps;

  /** Throws CONVERSATION_NOT_FOUND or NOT_CONVERSATION_MEMBER. */
  async function conversationsOf(
    request: SearchMessagesRequest,
    lost: Lost | undefined,
  ): Promise<Membership[]> {
    const { userId } = request;
    if (parseId(userId) === undefined) throw notMember();
    const reading = await cache.reading([[userMemberships, userId]]);
    const memberships = await readMemberships({ databases, cache: reading }, userId, { lost });
    if (request.conversationId === undefined) return memberships;
    const id = conversationIdOf(request.conversationId);
    if (!isAmong(memberships, String(id))) throw await noAccess(databases.messagesOf(id), id);
    return memberships.filter(({ conversationId }) => conversationId === String(id));
  }

  const selectStored = <R>(
    columns: string,
    candidates: readonly Candidate[],
    lost: Lost | undefined,
  ): Promise<R[]> =>
    fromEach(
      databases.byShard(candidates, ({ conversationId }) => conversationId),
      (database, some) =>
        database.query<R>(
          // Index: the primary key of messages.
          `SELECT ${columns} FROM messages WHERE ${Array.from(
            Map.groupBy(some, ({ conversationId }) => conversationId),
            ([id, own]) => `(conversation_id = ${id} AND seq_id IN (${own.map(({ seqId }) => seqId)}))`,
          ).join(' OR ')}`,
        ),
      lost,
    );

  /** Rows of the database, and archived messages where it has none. */
  async function select<R extends Pick<MessageRow, 'conversation_id' | 'seq_id'>>(
    columns: string,
    candidates: readonly Candidate[],
    lost: Lost | undefined,
  ): Promise<(R | MessageRow)[]> {
    const rows = await selectStored<R>(columns, candidates, lost);
    if (rows.length === candidates.length) return rows;
    const present = new Set(rows.map(({ conversation_id, seq_id }) => `${conversation_id}:${seq_id}`));
    const absent = candidates.filter(
      ({ conversationId, seqId }) =>
        !present.has(`${conversationId}:${seqId}`) && !lost?.has(databases.messagesOf(conversationId)),
    );
    const archived = await Promise.all(
      Array.from(
        Map.groupBy(absent, ({ conversationId }) => conversationId),
        ([id, own]) =>
          cold.bySeqIds(
            id,
            own.map(({ seqId }) => seqId),
          ),
      ),
    );
    return [...rows, ...archived.flat()];
  }

  /** The candidates that may be hits by their time and sender. Most are not needed, so their texts are not read yet. */
  async function readTimes(candidates: readonly Candidate[], wanted: Wanted): Promise<Dated[]> {
    if (candidates.length === 0) return [];
    const rows = await select<DatedRow>(
      'conversation_id, seq_id, id, sender_id, deleted, created_at',
      candidates,
      wanted.lost,
    );
    return rows
      .filter((row) => isWanted(row, wanted))
      .map((row) => ({
        conversationId: row.conversation_id,
        seqId: row.seq_id,
        id: row.id,
        createdAt: row.created_at,
      }));
  }

  async function readHits(candidates: readonly Candidate[], { query, lost }: Wanted): Promise<Hit[]> {
    const rows = await select<MessageRow>(messageColumns(), candidates, lost);
    return rows.map(fromMessageRow).flatMap((message) => hitOf(message, query));
  }

  /** One hit more than the page has, if there is one; or fewer, and where to continue. */
  async function collect(
    wanted: Wanted,
    conversationIds: readonly number[],
    limit: number,
  ): Promise<{ hits: Hit[]; goOnAt?: number }> {
    const [to] = wanted.before;
    const reader = engine.search(wanted.query, { conversationIds, from: wanted.from, to, lost: wanted.lost });
    const hits: Hit[] = [];
    let waiting: Dated[] = [];
    let count = firstCandidates * limit;
    const until = performance.now() + enoughMs;
    for (let readSoFar = 0; ; ) {
      const { candidates, bound } = await reader.next(count);
      waiting = [...waiting, ...(await readTimes(candidates, wanted))].sort(newestFirst);
      // Whatever comes later is not newer than the bound.
      while (hits.length <= limit && (waiting[0]?.createdAt ?? -Infinity) > bound) {
        const newer = waiting.findIndex(({ createdAt }) => createdAt <= bound);
        const next = waiting.splice(0, Math.min(newer < 0 ? waiting.length : newer, limit + 1 - hits.length));
        hits.push(...(await readHits(next, wanted)).sort((a, b) => newestFirst(a.message, b.message)));
      }
      readSoFar += candidates.length;
      // In one order whatever the bounds were: the cursor of a page is that of its last hit.
      hits.sort((a, b) => newestFirst(a.message, b.message));
      if (hits.length > limit || bound === -Infinity) return { hits };
      // Many messages of the same time must be read at once: a cursor between them would need one of them as a hit.
      const isEnough = readSoFar >= enoughRead || performance.now() >= until;
      if (isEnough && isEarlier(behind(bound), wanted.before)) return { hits, goOnAt: bound };
      count = Math.min(2 * count, mostCandidates);
    }
  }

  async function answer(
    hits: readonly Hit[],
    memberships: readonly Membership[],
    lost: Lost | undefined,
  ): Promise<SearchHit[]> {
    const conversationIds = new Set(hits.map(({ message }) => message.conversationId));
    const peers = new Map(memberships.map(({ conversationId, peerId }) => [conversationId, peerId]));
    const [basics, cards] = await Promise.all([
      readBasics(deps, [...conversationIds], lost),
      userCards.byIds([
        ...hits.map(({ message }) => message.senderId),
        ...[...conversationIds].flatMap((id) => peers.get(id) ?? []),
      ]),
    ]);
    const nameOf = (id: string): string => {
      const basic = basics.get(id);
      const peerId = peers.get(id);
      if (basic?.type !== conversationType.single || peerId === undefined) return basic?.name ?? '';
      return cardOf(cards, peerId).displayName;
    };
    return hits.map(({ message: stored, highlights }) => {
      const message = toMessage(stored, cards, links);
      const shift = shiftOf(stored, message);
      return {
        message,
        conversationName: nameOf(stored.conversationId),
        highlights: highlights.map(([start, length]) => ({ start: start + shift, length })),
      };
    });
  }

  /** Throws INVALID_ARGUMENT, CONVERSATION_NOT_FOUND or NOT_CONVERSATION_MEMBER. */
  return async (request: SearchMessagesRequest): Promise<SearchMessagesResponse> => {
    const { limit, after } = readPaging('search results', request);
    // Of one conversation there is no part to answer with.
    const lost = request.conversationId === undefined ? noteLost(databases) : undefined;
    const memberships = await conversationsOf(request, lost);
    const query = parseQuery(request.query);
    if (!query) return { hits: [] };
    const wanted = {
      query,
      senderId: request.senderId,
      from: (request.after ?? -1) + 1,
      before: earlier(after, [request.before ?? Number.MAX_SAFE_INTEGER, 0]),
      lost,
    };
    const ids = memberships.map(({ conversationId }) => Number(conversationId));
    const { hits, goOnAt } = await collect(wanted, ids, limit);
    const page = pageOf('search results', hits, limit, ({ message }) => [message.createdAt, message.id]);
    const found = await answer(page.rows, memberships, lost);
    if (lost?.size === databases.shards.length) throw unavailable();
    const partial = lost?.size ? true : undefined;
    if (page.nextCursor !== undefined || goOnAt === undefined)
      return { hits: found, nextCursor: page.nextCursor, partial };
    // What is later than the bound was found already.
    return { hits: found, nextCursor: cursorOf('search results', behind(goOnAt)), partial };
  };
}

function isWanted(
  { deleted, sender_id, created_at, id }: DatedRow,
  { senderId, from, before }: Wanted,
): boolean {
  if (isTrue(deleted) || (senderId !== undefined && String(sender_id) !== senderId)) return false;
  return created_at >= from && isEarlier([created_at, id], before);
}

function hitOf(message: StoredMessage, query: Query): Hit[] {
  if (message.deleted) return [];
  const { text, start } = searchedText(message);
  const found = match(query, text);
  if (!found) return [];
  const highlights = start === undefined ? [] : found.map(([at, length]): Highlight => [start + at, length]);
  return [{ message, highlights }];
}

type Time = Position<'search results'>;

const isEarlier = ([at, id]: Time, [otherAt, otherId]: Time): boolean =>
  at < otherAt || (at === otherAt && id < otherId);

/** The position behind all messages that are newer than `at`. */
const behind = (at: number): Time => [at + 1, 0];

const earlier = (one: Time | undefined, other: Time): Time => (one && isEarlier(one, other) ? one : other);

const newestFirst = (a: { createdAt: number; id: number }, b: { createdAt: number; id: number }): number =>
  b.createdAt - a.createdAt || b.id - a.id;

/** How much further back the searched text lies in the content as it is shown: the address of a file gets a signature. */
function shiftOf(
  stored: { messageType: number; content: string },
  shown: { messageType: number; content: string },
): number {
  if (stored.content === shown.content) return 0;
  return (searchedText(shown).start ?? 0) - (searchedText(stored).start ?? 0);
}
