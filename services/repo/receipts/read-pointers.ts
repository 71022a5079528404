// Room: how far members have read, and who may know it. It neither computes unread counts (rows does) nor stores
// messages (the messages room does).

import { chunks } from '../../../lib/chunks.ts';
import { conversationStatus, conversationType } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { conversationNotFound, invalid } from '../../../lib/domain/refusals.ts';
import { codeNumber, GoChatError } from '../../../lib/errors.ts';
import type {
  ConversationServiceService,
  ReadPointerUpdate,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache } from '../cache/cache.ts';
import { unavailable } from '../connections/database-errors.ts';
import { domainEvent, insertEvents, type Outbox } from '../outbox/outbox.ts';
import { conversationIdOf, noAccess, notMember, userIdOf } from '../rows/conversation-access.ts';
import { unreadKey } from '../rows/read-pointer-cache.ts';
import { loadUnread } from '../rows/unread.ts';
import { databaseTime } from '../storage/change-time.ts';
import type { Database, Sql } from '../storage/database.ts';
import { type Databases, fromEach, noteLost } from '../storage/databases.ts';
import { rowsTable } from '../storage/sql.ts';
import { hasReceipts, maxSearchedMessages, type ReceiptAudience } from './receipt-audience.ts';

type Handlers = Pick<
  UnaryHandlers<typeof ConversationServiceService>,
  'updateReadPointer' | 'batchUpdateReadPointers' | 'getUnreadCount' | 'batchGetUnreadCounts'
>;

const maxBatch = 1000;

/** A valid update. `index` is its place in the request. */
type Mark = { index: number; userId: number; conversationId: number; seqId: number; sessionId: string };
/**
 * An update that moves a pointer forward from `from`. `notifiesOthers`: other members may get a read receipt. `searched`:
 * only the senders of the newly read messages may, not all other members.
 */
type Move = Mark & { from: number; notifiesOthers: boolean; single: boolean; searched: boolean };

/** Read pointers: how far users have read. A pointer only moves forward, and each move writes one event. */
export function createReadPointers(deps: {
  databases: Databases;
  cache: Cache;
  outbox: Outbox;
  receipts: ReceiptAudience;
}): Handlers {
  const { databases, cache, outbox, receipts } = deps;

  /**
   * Takes four round trips to each database of conversations for any number of updates, and one if no pointer moves.
   * Returns the errors by the index of the update; an invalid update does not affect the others, nor does one whose
   * database does not answer while others do.
   */
  async function update(updates: readonly ReadPointerUpdate[]): Promise<Map<number, GoChatError>> {
    const { marks, errors } = readMarks(updates);
    const shards = databases.byShard(marks, ({ conversationId }) => conversationId);
    const lost = noteLost(databases);
    const refused = await fromEach(shards, updateIn, lost);
    for (const [index, error] of refused) errors.set(index, error);
    for (const shard of lost ?? []) {
      for (const { index } of shards.get(shard) ?? []) errors.set(index, unavailable());
    }
    return errors;
  }

  async function updateIn(shard: Database, marks: readonly Mark[]): Promise<[number, GoChatError][]> {
    const expected = await planMoves(shard, marks, '');
    const moved = expected.moves.length === 0 ? expected : await move(shard, marks, expected.moves);
    if (moved.moves.length > 0) outbox.wake();
    return [...moved.refused];
  }

  /**
   * Blocks and settings, which decide who gets a receipt, belong to accounts: they are read before the transaction. If
   * another call moves a pointer meanwhile, the event names some senders who have had their receipt already.
   */
  async function move(shard: Database, marks: readonly Mark[], expected: readonly Move[]) {
    const senders = await readAudiences(shard, expected);
    return cache.change((touch) =>
      shard.transaction(async (tx) => {
        const { moves, refused } = await planMoves(tx, marks, 'FOR UPDATE');
        if (moves.length === 0) return { moves, refused };
        await touch(moves.map(({ userId }) => unreadKey(String(userId))));
        await tx.batchAndCommit(
          [
            storePointers(moves),
            insertEvents(moves.map((move) => readEvent(move, senders.get(move.index)))),
          ].join(';\n'),
        );
        return { moves, refused };
      }),
    );
  }

  /** For each move, by its index: the senders of the newly read messages who may know that the user read them. */
  async function readAudiences(shard: Database, moves: readonly Move[]): Promise<Map<number, string[]>> {
    const notifying = moves.filter((move) => move.notifiesOthers);
    if (notifying.length === 0) return new Map();
    const senders = await readSenders(shard, notifying);
    const reads = notifying.map(({ index, userId, single }) => ({
      readerId: String(userId),
      otherIds: senders.get(index) ?? [],
      single,
    }));
    const audiences = await receipts.of(reads, cache);
    return new Map(notifying.map(({ index }, at) => [index, audiences[at] ?? []]));
  }

  async function unreadIn(userId: string, conversationId: number) {
    const [unread] = await loadUnread(databases, userIdOf(userId), [conversationId]);
    if (!unread) throw notMember();
    return unread;
  }

  return {
    async updateReadPointer({ userId, conversationId, seqId }) {
      const id = conversationIdOf(conversationId);
      const errors = await update([{ userId, conversationId, seqId, sessionId: '' }]);
      const error = errors.get(0);
      if (error) throw error;
      const { lastReadSeqId, unreadCount } = await unreadIn(userId, id);
      return { lastReadSeqId, unreadCount };
    },

    async batchUpdateReadPointers({ updates }) {
      if (updates.length > maxBatch) throw invalid('updates', `must have at most ${maxBatch} entries`);
      const errors = await update(updates);
      return {
        errors: updates.map((_, index) => {
          const error = errors.get(index);
          return error ? codeNumber(error.code) : 0;
        }),
      };
    },

    async getUnreadCount({ userId, conversationId }) {
      const id = conversationIdOf(conversationId);
      const [unread] = await loadUnread(databases, userIdOf(userId), [id]);
      if (!unread) throw await noAccess(databases.messagesOf(id), id);
      return { unreadCount: unread.unreadCount };
    },

    async batchGetUnreadCounts({ userId, conversationIds }) {
      const ids = conversationIds.map(parseId).filter((id) => id !== undefined);
      const all = await loadUnread(
        databases,
        userIdOf(userId),
        conversationIds.length === 0 ? undefined : ids,
      );
      return {
        unreadCounts: Object.fromEntries(all.map((unread) => [unread.conversationId, unread.unreadCount])),
      };
    },
  };
}

function readMarks(updates: readonly ReadPointerUpdate[]) {
  const marks: Mark[] = [];
  const errors = new Map<number, GoChatError>();
  updates.forEach((update, index) => {
    try {
      const { seqId, sessionId } = update;
      const conversationId = conversationIdOf(update.conversationId);
      const userId = userIdOf(update.userId);
      if (!Number.isSafeInteger(seqId) || seqId < 0) throw seqIdOutOfRange();
      marks.push({ index, userId, conversationId, seqId, sessionId });
    } catch (error) {
      if (!(error instanceof GoChatError)) throw error;
      errors.set(index, error);
    }
  });
  return { marks, errors };
}

const seqIdOutOfRange = () => invalid('seqId', 'must be 0 to the last seq id of the conversation');

/**
 * Finds the updates that move a pointer; with `FOR UPDATE`, it locks the pointers. Each update starts where the one
 * before left the pointer.
 */
async function planMoves(
  sql: Sql,
  marks: readonly Mark[],
  lock: 'FOR UPDATE' | '',
): Promise<{ moves: Move[]; refused: Map<number, GoChatError> }> {
  // Every writer locks pointers in the order of their primary key, to avoid deadlocks.
  const pairs = [
    ...new Map(
      marks.map(({ userId, conversationId }) => [`${userId}:${conversationId}`, [userId, conversationId]]),
    ),
  ]
    .map(([, pair]) => pair as [number, number])
    .sort(([userA, a], [userB, b]) => userA - userB || a - b);
  const wanted = `${rowsTable(['u', 'c'], pairs)} k`;
  const [pointers, states] = (await sql.batch(
    [
      // Indexes: the primary keys of all tables.
      `SELECT k.u, k.c, p.last_read_seq_id AS seq
       FROM ${wanted}
       STRAIGHT_JOIN user_read_pointers p ON p.user_id = k.u AND p.conversation_id = k.c
       ${lock}`,
      `SELECT k.u, k.c, c.type, c.status, c.send_state, c.member_count, h.last_seq_id, h.cold_until_seq,
         m.user_id AS member
       FROM ${wanted}
       LEFT JOIN conversations c ON c.id = k.c
       LEFT JOIN conversation_heads h ON h.conversation_id = k.c
       LEFT JOIN conversation_members m ON m.user_id = k.u AND m.conversation_id = k.c`,
    ].join(';\n'),
  )) as [{ u: number; c: number; seq: number }[], StateRow[]];
  const at = new Map(pointers.map(({ u, c, seq }) => [`${u}:${c}`, seq]));
  const state = new Map(states.map((row) => [`${row.u}:${row.c}`, row]));

  const moves: Move[] = [];
  const refused = new Map<number, GoChatError>();
  for (const mark of marks) {
    const key = `${mark.userId}:${mark.conversationId}`;
    const row = state.get(key);
    const error = refusal(mark, row);
    const from = at.get(key) ?? 0;
    if (error) refused.set(mark.index, error);
    else if (row && mark.seqId > from) {
      moves.push({
        ...mark,
        from,
        notifiesOthers: hasReceipts(row),
        single: row.type === conversationType.single,
        // The senders of archived messages are not in the database.
        searched: mark.seqId - from <= maxSearchedMessages && from >= (row.cold_until_seq ?? 0),
      });
      at.set(key, mark.seqId);
    }
  }
  return { moves, refused };
}

/** If there is no such conversation, all of its columns are NULL, also those typed as numbers. */
type StateRow = {
  u: number;
  c: number;
  type: number;
  status: number | null;
  send_state: number;
  member_count: number;
  last_seq_id: number | null;
  cold_until_seq: number | null;
  member: number | null;
};

function refusal({ seqId }: Mark, row: StateRow | undefined): GoChatError | undefined {
  if (row?.status !== conversationStatus.active || row.last_seq_id === null) return conversationNotFound();
  if (row.member === null) return notMember();
  return seqId > row.last_seq_id ? seqIdOutOfRange() : undefined;
}

/**
 * For each move, by its index: the senders of the newly read messages who are still members. A move over many or archived
 * messages names all other members.
 */
async function readSenders(sql: Sql, moves: readonly Move[]): Promise<Map<number, string[]>> {
  const ranges = moves.map(({ index, conversationId, from, seqId, userId, searched }) =>
    !searched
      ? // Index: conversation_members_conversation.
        `(SELECT ${index} AS move, conversation_id, user_id AS sender_id
          FROM conversation_members WHERE conversation_id = ${conversationId} AND user_id <> ${userId})`
      : // One range of the messages' primary key per move. With a join, the server would read whole conversations.
        `(SELECT DISTINCT ${index} AS move, conversation_id, sender_id FROM messages
          WHERE conversation_id = ${conversationId} AND seq_id > ${from} AND seq_id <= ${seqId}
            AND sender_id <> ${userId})`,
  );
  const results = await sql.batch(
    chunks(ranges, rangesPerStatement)
      .map(
        (some) =>
          `SELECT s.move, s.sender_id FROM (${some.join(' UNION ALL ')}) s
           STRAIGHT_JOIN conversation_members m ON m.user_id = s.sender_id AND m.conversation_id = s.conversation_id
           ORDER BY s.sender_id`,
      )
      .join(';\n'),
  );
  const rows = (results as { move: number; sender_id: number }[][]).flat();
  return new Map(
    [...Map.groupBy(rows, ({ move }) => move)].map(([move, senders]) => [
      move,
      senders.map(({ sender_id }) => String(sender_id)),
    ]),
  );
}

const rangesPerStatement = 200;

function storePointers(moves: readonly Move[]): string {
  // The last of several moves of one pointer is the furthest. Rows are in the order of the primary key.
  const rows = [
    ...new Map(moves.map((move) => [`${move.userId}:${move.conversationId}`, move])).values(),
  ].sort((a, b) => a.userId - b.userId || a.conversationId - b.conversationId);
  return `INSERT INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at)
     VALUES ${rows.map((row) => `(${row.userId},${row.conversationId},${row.seqId},${databaseTime})`)}
     ON DUPLICATE KEY UPDATE
       updated_at = VALUES(updated_at),
       last_read_seq_id = GREATEST(last_read_seq_id, VALUES(last_read_seq_id))`;
}

const readEvent = ({ userId, conversationId, seqId, sessionId }: Move, senderIds: string[] = []) =>
  domainEvent({
    type: 'message.read',
    actor_id: String(userId),
    conversation_id: String(conversationId),
    seq_id: seqId,
    sender_ids: senderIds,
    session_id: sessionId,
  });
