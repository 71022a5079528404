import type {
  ConversationServiceService,
  RecalledMessage,
  SyncConversationsRequest,
  SyncedConversation,
} from '../../lib/gen/im_repo/v1/conversation.ts';
import type { Message } from '../../lib/gen/im_repo/v1/message.ts';
import type { UnaryHandlers } from '../../lib/grpc/definition.ts';
import { chunks } from './cache.ts';
import { changedFor, databaseTime, overlapMs } from './change-time.ts';
import { userIdOf } from './conversation-access.ts';
import { conversationType, invalid } from './conversation-lock.ts';
import { type LoadedViews, loadViews, toDetails } from './conversation-view.ts';
import type { Database, Databases } from './database.ts';
import { fromMessageRow, type MessageRow, messageColumns, toMessage } from './message-rows.ts';
import { rowsATable, rowsTable } from './sql.ts';
import {
  cutToBytes,
  type Entry,
  isBeyond,
  mayNotFit,
  oldestFirst,
  planSync,
  type Sizes,
  type SyncRow,
  type Take,
} from './sync-plan.ts';
import type { UserCards } from './user-cards.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'syncConversations'>;

const usualTotal = 2000;
const usualEach = 100;
const mostRecalls = 20_000;
const rangesAStatement = 100;
const idsAList = 500;

/** Everything that a client missed, in a handful of queries, however many conversations it has. */
export function createSync(deps: { databases: Databases; userCards: UserCards }): Handlers {
  const { databases } = deps;
  return {
    async syncConversations(request) {
      const userId = userIdOf(request.userId);
      const limits = readLimits(request);
      const since = request.since === 0 ? 0 : Math.max(1, request.since - overlapMs);

      const { serverTime, rows } = await readRows(databases.conversations, userId);
      const own = new Set(rows.map((row) => String(row.id)));
      const candidates = rows.flatMap((row): Entry[] => candidate(row, request.cursors, since));
      const entries = oldestFirst(candidates, await readOldestMissing(databases, candidates));
      const planned = planSync(entries, limits);
      const { takes, full } = mayNotFit(planned.takes)
        ? cutToBytes(planned.takes, await readSizes(databases, planned.takes))
        : { takes: planned.takes, full: false };
      const [messages, recalled, loaded] = await Promise.all([
        readMessages(deps, takes),
        since === 0 ? [] : readRecalled(databases, rows, since),
        loadViews(databases.conversations, userId, {
          detailed: takes.length,
          conversationIds: takes.map(({ id }) => id),
        }),
      ]);
      const conversations = fill(takes, messages, loaded);
      return {
        conversations,
        recalled,
        removed: Object.keys(request.cursors).filter((id) => !own.has(id)),
        hasMore: planned.cut || full || conversations.some((conversation) => conversation.hasMore),
        serverTime,
      };
    },
  };
}

/** Puts the answer together. */
function fill(
  takes: readonly Take[],
  messages: ReadonlyMap<number, Message[]>,
  { views, users }: LoadedViews,
): SyncedConversation[] {
  const byId = new Map(views.map((view) => [Number(view.basic.id), view]));
  return takes.flatMap(({ id, more, reset }): SyncedConversation[] => {
    const view = byId.get(id);
    // Lost since it was planned.
    if (!view) return [];
    const conversation = toDetails(view, users, { lastMessage: true, senderInfo: true });
    return [{ conversation, messages: messages.get(id) ?? [], hasMore: more, reset }];
  });
}

function readLimits({ cursors, limitPerConversation, limitTotal }: SyncConversationsRequest) {
  for (const [id, seqId] of Object.entries(cursors)) {
    if (!Number.isSafeInteger(seqId) || seqId < 0) throw invalid(`cursors.${id}`, 'must be a seq id or 0');
  }
  const each = limitPerConversation === 0 ? usualEach : limitPerConversation;
  const total = limitTotal === 0 ? usualTotal : limitTotal;
  if (each < 1 || each > usualTotal) throw invalid('limit_per_conversation', `must be 1 to ${usualTotal}`);
  if (total < 1 || total > usualTotal) throw invalid('limit_total', `must be 1 to ${usualTotal}`);
  return { each, total };
}

/** Where the user's conversations stand, and the time before they were read. */
async function readRows(
  database: Database,
  userId: number,
): Promise<{ serverTime: number; rows: SyncRow[] }> {
  const changedAt = changedFor({ conversation: 'c', member: 'm', pointer: 'p' });
  const [times, rows] = (await database.batch(
    [
      `SELECT ${databaseTime} AS time`,
      // Indexes: primary keys.
      `SELECT c.id, c.type, c.updated_at, h.last_seq_id, ${changedAt} AS changed_at
       FROM conversation_members m
       JOIN conversations c ON c.id = m.conversation_id AND c.status = 1
       JOIN conversation_heads h ON h.conversation_id = c.id
       LEFT JOIN user_read_pointers p ON p.user_id = m.user_id AND p.conversation_id = m.conversation_id
       WHERE m.user_id = ${userId}`,
    ].join(';\n'),
  )) as [{ time: number }[], SyncRow[]];
  return { serverTime: times[0]?.time ?? 0, rows };
}

/** A conversation that the client has to hear of: never named, with something newer, changed since, or held wrongly. */
function candidate(row: SyncRow, cursors: Readonly<Record<string, number>>, since: number): Entry[] {
  const cursor = Object.hasOwn(cursors, String(row.id)) ? cursors[String(row.id)] : undefined;
  if (cursor === undefined) return row.type === conversationType.world ? [] : [{ ...row, cursor: 0 }];
  const changed = since > 0 && row.changed_at > since;
  return row.last_seq_id > cursor || isBeyond({ ...row, cursor }) || changed ? [{ ...row, cursor }] : [];
}

/** When the oldest message that is missing of each was stored. */
async function readOldestMissing(
  databases: Databases,
  entries: readonly Entry[],
): Promise<Map<number, number>> {
  const missing = entries.filter(({ last_seq_id, cursor }) => last_seq_id > cursor);
  const byDatabase = Map.groupBy(missing, ({ id }) => databases.messagesOf(String(id)));
  const rows = await Promise.all(
    [...byDatabase].map(async ([database, some]) => {
      const wanted = some.map(({ id, cursor }) => [id, cursor + 1]);
      const statements = chunks(wanted, rowsATable).map(
        // Primary key of messages.
        (part) =>
          `SELECT m.conversation_id, m.created_at FROM ${rowsTable(['c', 's'], part)} k
           STRAIGHT_JOIN messages m ON m.conversation_id = k.c AND m.seq_id = k.s`,
      );
      type Oldest = { conversation_id: number; created_at: number };
      return ((await database.batch(statements.join(';\n'))) as Oldest[][]).flat();
    }),
  );
  return new Map(rows.flat().map((row) => [row.conversation_id, row.created_at]));
}

/** How long the texts of a plan are, without the texts. */
async function readSizes(databases: Databases, takes: readonly Take[]): Promise<Sizes> {
  const byDatabase = Map.groupBy(takes, ({ id }) => databases.messagesOf(String(id)));
  type Row = { conversation_id: number; seq_id: number; bytes: number };
  const rows = await Promise.all(
    [...byDatabase].map(async ([database, some]) => {
      // Ranges of the primary key of messages.
      const select = `SELECT conversation_id, seq_id,
        OCTET_LENGTH(content) + COALESCE(OCTET_LENGTH(extra), 0) AS bytes FROM messages`;
      const selects = some.flatMap(({ id, first, last, head }) => [
        `(${select} WHERE conversation_id = ${id} AND seq_id BETWEEN ${first} AND ${last})`,
        ...(head > last || head < first
          ? [`(${select} WHERE conversation_id = ${id} AND seq_id = ${head})`]
          : []),
      ]);
      const statements = chunks(selects, rangesAStatement).map((part) => part.join(' UNION ALL '));
      return ((await database.batch(statements.join(';\n'))) as Row[][]).flat();
    }),
  );
  const byConversation = Map.groupBy(rows.flat(), ({ conversation_id }) => conversation_id);
  return new Map(
    [...byConversation].map(([id, some]) => [id, new Map(some.map(({ seq_id, bytes }) => [seq_id, bytes]))]),
  );
}

/** The messages of all conversations, ascending by seq id: one range of the primary key each. */
async function readMessages(
  deps: { databases: Databases; userCards: UserCards },
  takes: readonly Take[],
): Promise<Map<number, Message[]>> {
  const ranges = takes.filter(({ first, last }) => last >= first);
  const byDatabase = Map.groupBy(ranges, ({ id }) => deps.databases.messagesOf(String(id)));
  const rows = await Promise.all(
    [...byDatabase].map(async ([database, some]) => {
      const selects = some.map(
        ({ id, first, last }) =>
          `(SELECT ${messageColumns()} FROM messages
            WHERE conversation_id = ${id} AND seq_id BETWEEN ${first} AND ${last})`,
      );
      const statements = chunks(selects, rangesAStatement).map((part) => part.join(' UNION ALL '));
      return ((await database.batch(statements.join(';\n'))) as MessageRow[][]).flat();
    }),
  );
  const stored = rows.flat().map(fromMessageRow);
  const senders = await deps.userCards.byIds(stored.map(({ senderId }) => senderId));
  const messages = Map.groupBy(
    stored.map((message) => toMessage(message, senders)),
    ({ conversationId }) => Number(conversationId),
  );
  for (const some of messages.values()) some.sort((a, b) => a.seqId - b.seqId);
  return messages;
}

/** What was recalled in the user's conversations; of very many only the newest. */
async function readRecalled(
  databases: Databases,
  rows: readonly SyncRow[],
  since: number,
): Promise<RecalledMessage[]> {
  const byDatabase = Map.groupBy(rows, ({ id }) => databases.messagesOf(String(id)));
  const found = await Promise.all(
    [...byDatabase].map(async ([database, some]) => {
      const statements = chunks(some, idsAList).map(
        // Index: message_recalls_time.
        (part) =>
          `SELECT conversation_id, seq_id, recalled_at FROM message_recalls
           WHERE conversation_id IN (${part.map(({ id }) => id)}) AND recalled_at > ${since}
           ORDER BY recalled_at DESC LIMIT ${mostRecalls}`,
      );
      type Recall = { conversation_id: number; seq_id: number; recalled_at: number };
      return ((await database.batch(statements.join(';\n'))) as Recall[][]).flat();
    }),
  );
  return found
    .flat()
    .sort((a, b) => b.recalled_at - a.recalled_at)
    .slice(0, mostRecalls)
    .map((row) => ({ conversationId: String(row.conversation_id), seqId: row.seq_id }));
}
