import { chunks } from '../../../lib/chunks.ts';
import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import type { RecalledMessage } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { Message } from '../../../lib/gen/im_repo/v1/message.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { unavailable } from '../connections/database-errors.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { peerIdColumn } from '../rows/memberships.ts';
import { fromMessageRow, type MessageRow, messageColumns, toMessage } from '../rows/message-rows.ts';
import type { UserCards } from '../rows/user-cards.ts';
import { changedFor, databaseTime } from '../storage/change-time.ts';
import type { Database, ReadToken } from '../storage/database.ts';
import { type Databases, fromAll, fromEach, noteLost } from '../storage/databases.ts';
import { readerOf, tokenOf } from '../storage/replicas.ts';
import { idsPerList, rowsPerTable, rowsTable } from '../storage/sql.ts';
import { completeMessages, readFirstTimes } from './sync-cold.ts';
import { cutBetweenTimes, type Entry, type Sizes, type SyncRow, type Take } from './sync-plan.ts';

// The reads of a sync. Each reads all of a user's conversations at once, in a few round trips.

export type SyncReadDeps = {
  databases: Databases;
  cold: ColdMessages;
  userCards: UserCards;
  links: FileLinks;
};

const maxRecalls = 20_000;
const rangesPerStatement = 100;

/**
 * The state of the user's conversations, and the database's time before the read, in Unix milliseconds. `partial`: a
 * database does not answer, and the state of its conversations is missing.
 */
export async function readRows(
  databases: Databases,
  userId: number,
): Promise<{ time: number; rows: SyncRow[]; partial: boolean; tokens: ReadTokens }> {
  const lost = noteLost(databases);
  const parts = await fromAll(databases.shards, async (shard) => [await readRowsOf(shard, userId)], lost);
  if (parts.length === 0) throw unavailable();
  return {
    time: Math.min(...parts.map(({ time }) => time)),
    rows: parts.flatMap(({ rows }) => rows),
    partial: parts.length < databases.shards.length,
    tokens: new Map(parts.map(({ database, token }) => [database, token])),
  };
}

/** What replicas must have for the reads that follow. */
export type ReadTokens = ReadonlyMap<Database, ReadToken | undefined>;

type RowsOf = { database: Database; time: number; rows: SyncRow[]; token: ReadToken | undefined };

async function readRowsOf(database: Database, userId: number): Promise<RowsOf> {
  const tokenStatement = database.replicas?.tokenStatement();
  const changedAt = changedFor({ conversation: 'c', member: 'm', pointer: 'p' });
  const [times, rows, tokens] = (await database.batch(
    [
      `SELECT ${databaseTime} AS time`,
      // Indexes: the primary keys of all tables.
      `SELECT c.id, c.type, c.updated_at, h.last_seq_id, h.last_change_seq, h.cold_until_seq, ${changedAt} AS changed_at,
         ${peerIdColumn('m', 'c')} AS peer_id,
         OCTET_LENGTH(c.name) + OCTET_LENGTH(c.avatar_url) + OCTET_LENGTH(c.description)
           + OCTET_LENGTH(c.announcement) AS text_bytes
       FROM conversation_members m
       JOIN conversations c ON c.id = m.conversation_id AND c.status = ${conversationStatus.active}
       JOIN conversation_heads h ON h.conversation_id = c.id
       LEFT JOIN user_read_pointers p ON p.user_id = m.user_id AND p.conversation_id = m.conversation_id
       WHERE m.user_id = ${userId}`,
      ...(tokenStatement ? [tokenStatement] : []),
    ].join(';\n'),
  )) as [{ time: number }[], SyncRow[], unknown];
  return { database, time: times[0]?.time ?? 0, rows, token: tokens ? tokenOf(tokens) : undefined };
}

/**
 * The time at which each conversation's oldest missing message was stored, by conversation id. If that message is
 * archived, it is the time of the first one in its segment: it only decides which conversation comes first.
 */
export async function readOldestMissing(
  databases: Databases,
  tokens: ReadTokens,
  entries: readonly Entry[],
): Promise<Map<number, number>> {
  const [archived, missing] = partition(
    entries.filter(({ last_seq_id, cursor }) => last_seq_id > cursor),
    ({ cursor, cold_until_seq }) => cursor < cold_until_seq,
  );
  const rows = await fromEach(
    databases.byShard(missing, ({ id }) => id),
    async (database, some) => {
      const wanted = some.map(({ id, cursor }) => [id, cursor + 1]);
      const statements = chunks(wanted, rowsPerTable).map(
        // Index: the primary key of messages.
        (part) =>
          `SELECT m.conversation_id, m.created_at FROM ${rowsTable(['c', 's'], part)} k
           STRAIGHT_JOIN messages m ON m.conversation_id = k.c AND m.seq_id = k.s`,
      );
      type Oldest = { conversation_id: number; created_at: number };
      const reader = readerOf(database, tokens.get(database));
      return ((await reader.batch(statements.join(';\n'))) as Oldest[][]).flat();
    },
  );
  const times = archived.length === 0 ? [] : await readFirstTimes(databases, archived);
  return new Map([...rows, ...times].map((row) => [row.conversation_id, row.created_at]));
}

const partition = <T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] => {
  const parts = Map.groupBy(all, isFirst);
  return [parts.get(true) ?? [], parts.get(false) ?? []];
};

/** Reads the sizes of a plan's texts, without reading the texts of messages. */
export async function readSizes(
  { databases, cold, userCards }: SyncReadDeps,
  tokens: ReadTokens,
  takes: readonly Take[],
): Promise<Sizes> {
  type Row = { conversation_id: number; seq_id: number; sender_id: number; bytes: number };
  const found = await fromEach(
    databases.byShard(takes, ({ id }) => id),
    async (database, some) => {
      const columns = `m.conversation_id, m.seq_id, m.sender_id,
        OCTET_LENGTH(m.content) + COALESCE(OCTET_LENGTH(m.extra), 0) + COALESCE(OCTET_LENGTH(m.reactions), 0)
          AS bytes`;
      // Index: the primary key of messages, one range per conversation.
      const ranges = some
        .filter(({ first, last }) => last >= first)
        .map(
          ({ id, first, last }) =>
            `(SELECT ${columns} FROM messages m WHERE m.conversation_id = ${id} AND m.seq_id BETWEEN ${first} AND ${last})`,
        );
      const heads = some
        .filter(({ first, last, head }) => head > last || head < first)
        .map(({ id, head }) => [id, head]);
      const statements = [
        ...chunks(ranges, rangesPerStatement).map((part) => part.join(' UNION ALL ')),
        // Index: the primary key of messages.
        ...chunks(heads, rowsPerTable).map(
          (part) =>
            `SELECT ${columns} FROM ${rowsTable(['c', 's'], part)} k
             STRAIGHT_JOIN messages m ON m.conversation_id = k.c AND m.seq_id = k.s`,
        ),
      ];
      const reader = readerOf(database, tokens.get(database));
      return ((await reader.batch(statements.join(';\n'))) as Row[][]).flat();
    },
  );
  const rows = [...found, ...(await completeMessages(cold, takes, found)).map(sizeOf)];
  const peerIds = takes.flatMap(({ peerId }) => peerId ?? []);
  const cards = await userCards.byIds([...rows.map(({ sender_id }) => sender_id), ...peerIds].map(String));
  const cardBytes = (userId: number) => bytesOf(cards.get(String(userId)));
  return {
    messages: new Map(
      [...Map.groupBy(rows, ({ conversation_id }) => conversation_id)].map(([id, some]) => [
        id,
        new Map(some.map(({ seq_id, sender_id, bytes }) => [seq_id, bytes + cardBytes(sender_id)])),
      ]),
    ),
    peers: new Map(peerIds.map((userId) => [userId, cardBytes(userId)])),
  };
}

/** The row of `readSizes` of a message that is not in the database. */
const sizeOf = ({ conversation_id, seq_id, sender_id, content, extra, reactions }: MessageRow) => ({
  conversation_id,
  seq_id,
  sender_id,
  bytes: [content, extra, reactions].reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0),
});

/** The size of a user's card. */
const bytesOf = (card: User | undefined): number =>
  card ? Buffer.byteLength(card.username + card.displayName + card.avatarUrl) : 0;

/**
 * The planned messages by conversation id, ascending by seq id. Index: one range of the messages' primary key per
 * conversation.
 */
export async function readMessages(
  deps: SyncReadDeps,
  tokens: ReadTokens,
  takes: readonly Take[],
): Promise<Map<number, Message[]>> {
  const ranges = takes.filter(({ first, last }) => last >= first);
  const found = await fromEach(
    deps.databases.byShard(ranges, ({ id }) => id),
    async (database, some) => {
      const selects = some.map(
        ({ id, first, last }) =>
          `(SELECT ${messageColumns()} FROM messages
            WHERE conversation_id = ${id} AND seq_id BETWEEN ${first} AND ${last})`,
      );
      const statements = chunks(selects, rangesPerStatement).map((part) => part.join(' UNION ALL '));
      const reader = readerOf(database, tokens.get(database));
      return ((await reader.batch(statements.join(';\n'))) as MessageRow[][]).flat();
    },
  );
  const stored = [...found, ...(await completeMessages(deps.cold, ranges, found))].map(fromMessageRow);
  const senders = await deps.userCards.byIds(stored.map(({ senderId }) => senderId));
  const messages = Map.groupBy(
    stored.map((message) => toMessage(message, senders, deps.links)),
    ({ conversationId }) => Number(conversationId),
  );
  for (const some of messages.values()) some.sort((a, b) => a.seqId - b.seqId);
  return messages;
}

type Recall = { conversationId: number; seqId: number; at: number };

/**
 * The messages that were recalled after `since` in the user's conversations, the oldest recall first. `until` is the
 * time up to which the list is complete; undefined if nothing was cut.
 */
export async function readRecalled(
  databases: Databases,
  tokens: ReadTokens,
  rows: readonly SyncRow[],
  since: number,
): Promise<{ recalled: RecalledMessage[]; until: number | undefined }> {
  const ids = rows.map(({ id }) => id);
  const found = await selectRecalled(
    databases,
    tokens,
    ids,
    `recalled_at > ${since} ORDER BY recalled_at LIMIT ${maxRecalls + 1}`,
  );
  const { kept, until } = cutBetweenTimes(found, maxRecalls, { keepFirst: true });
  const [first] = kept;
  // If a single time has more recalls than the limit, the answer contains all of them: a `since` can't divide them.
  const all =
    until !== undefined && first?.at === until
      ? await selectRecalled(databases, tokens, ids, `recalled_at = ${until}`)
      : kept;
  return {
    recalled: all.map(({ conversationId, seqId }) => ({ conversationId: String(conversationId), seqId })),
    until,
  };
}

/** The recalls that meet the condition `which`, sorted by time. */
async function selectRecalled(
  databases: Databases,
  tokens: ReadTokens,
  conversationIds: readonly number[],
  which: string,
): Promise<Recall[]> {
  const found = await fromEach(
    databases.byShard(conversationIds, (id) => id),
    async (database, some) => {
      const statements = chunks(some, idsPerList).map(
        // Index: message_recalls_time.
        (part) =>
          `SELECT conversation_id AS conversationId, seq_id AS seqId, recalled_at AS at FROM message_recalls
           WHERE conversation_id IN (${part}) AND ${which}`,
      );
      const reader = readerOf(database, tokens.get(database));
      return ((await reader.batch(statements.join(';\n'))) as Recall[][]).flat();
    },
  );
  return found.sort((a, b) => a.at - b.at || a.conversationId - b.conversationId || a.seqId - b.seqId);
}
