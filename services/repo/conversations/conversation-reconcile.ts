import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type {
  ConversationServiceService,
  WrongConversation,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache, Change } from '../cache/cache.ts';
import { conversationKeys, memberKeys } from '../conversation-changes/member-rows.ts';
import { miscountedBlocks, recountRecalls, seqIdsPerBlock, storeRecalls } from '../rows/recall-counts.ts';
import { databaseTime } from '../storage/change-time.ts';
import { type Databases, formatSql, type Sql, type Transaction } from '../storage/database.ts';

const usualPage = 200;
/** Of a list of 1,000 ids or more MariaDB makes a subquery, which reads all messages to find the newest one. */
const longestPage = 500;
/** Messages whose recalls are compared, counted back from the head: hardly anything unread lies further back. */
const comparedMessages = 10_000;
/** Pointers and recalls mended in one transaction; what is more is found again by the next run. */
const mostRows = 5000;

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'reconcileConversations'>;

/** Proves that what is counted is what is stored. */
export function createConversationReconcile(deps: { databases: Databases; cache: Cache }): Handlers {
  const { databases, cache } = deps;

  /** The truth is known only under the head's lock, which all writers of these rows hold. */
  const settle = (id: number, mend: boolean): Promise<WrongConversation | undefined> =>
    cache.change((touch) =>
      databases.messagesOf(String(id)).transaction(async (tx) => {
        await tx.query('SELECT 1 FROM conversation_heads WHERE conversation_id = ? FOR UPDATE', [id]);
        const [state] = await readStates(tx, [id]);
        if (!state) return undefined;
        const found = await discrepanciesOf(tx, state);
        if (!isWrong(found)) return undefined;
        if (mend) await repair(tx, touch, state, found);
        return report(state, found, mend);
      }),
    );

  return {
    async reconcileConversations(request) {
      const { afterConversationId, mend } = request;
      const after = afterConversationId === '' ? 0 : parseId(afterConversationId);
      if (after === undefined) throw invalid('after_conversation_id', 'is no conversation id');
      const limit = Math.min(request.limit > 0 ? request.limit : usualPage, longestPage);
      const database = databases.conversations;
      const rows = await database.query<{ id: number; status: number; created_at: number }>(
        'SELECT id, status, created_at FROM conversations WHERE id > ? ORDER BY id LIMIT ?',
        [after, limit],
      );
      const ids = rows.map(({ id }) => id);
      const wrong: WrongConversation[] = [];
      // First without locks, so that conversations at which nothing is wrong never wait.
      for (const state of ids.length === 0 ? [] : await readStates(database, ids)) {
        if (!isWrong(await discrepanciesOf(database, state))) continue;
        const found = await settle(state.id, mend);
        if (found) wrong.push(found);
      }
      return {
        checked: ids.length,
        wrong,
        nextAfterConversationId: ids.length < limit ? '' : String(ids.at(-1)),
        unfinished: rows
          .filter(({ status }) => status === conversationStatus.creating)
          .map(({ id, created_at }) => ({ conversationId: String(id), createdAt: created_at })),
      };
    },
  };
}

type State = {
  id: number;
  member_count: number;
  projected_message_id: number | null;
  last_seq_id: number;
  last_message_id: number | null;
  members: number;
  /** Of the newest message that is stored; NULL without any. */
  newest_seq_id: number | null;
  newest_message_id: number | null;
};

const readStates = (sql: Sql, ids: readonly number[]): Promise<State[]> =>
  sql.query<State>(
    // The newest message by the primary key, members by conversation_members_conversation.
    `SELECT c.id, c.member_count, c.last_message_id AS projected_message_id, h.last_seq_id, h.last_message_id,
       COALESCE(counted.members, 0) AS members, newest.seq_id AS newest_seq_id, m.id AS newest_message_id
     FROM conversations c
     JOIN conversation_heads h ON h.conversation_id = c.id
     LEFT JOIN (SELECT conversation_id, COUNT(*) AS members FROM conversation_members
                WHERE conversation_id IN (?) GROUP BY conversation_id) counted ON counted.conversation_id = c.id
     LEFT JOIN (SELECT conversation_id, MAX(seq_id) AS seq_id FROM messages
                WHERE conversation_id IN (?) GROUP BY conversation_id) newest ON newest.conversation_id = c.id
     LEFT JOIN messages m ON m.conversation_id = newest.conversation_id AND m.seq_id = newest.seq_id
     WHERE c.id IN (?)
     ORDER BY c.id`,
    [ids, ids, ids],
  );

type Recall = { seq_id: number; message_id: number; sender_id: number };

type Discrepancies = {
  memberCount: boolean;
  head: boolean;
  lastMessage: boolean;
  /** Whose read pointers are beyond the head. */
  readers: number[];
  /** Recalled, but counted as unread. */
  uncounted: Recall[];
  /** Not counted as unread, but never marked as recalled. */
  unmarked: number[];
  /** Blocks of recalls whose count is wrong. */
  miscounted: number;
};

const isWrong = (found: Discrepancies): boolean =>
  found.memberCount ||
  found.head ||
  found.lastMessage ||
  found.readers.length + found.uncounted.length + found.unmarked.length + found.miscounted > 0;

/** The first block of recalls that is counted again. */
const comparedFrom = (lastSeqId: number): number =>
  Math.max(0, Math.trunc((lastSeqId - comparedMessages) / seqIdsPerBlock));

/** A head never goes back: what had the seq ids beyond may have been seen, and they are not given twice. */
const headOf = (state: State): { lastSeqId: number; lastMessageId: number | null } =>
  state.newest_seq_id !== null && state.newest_seq_id >= state.last_seq_id
    ? { lastSeqId: state.newest_seq_id, lastMessageId: state.newest_message_id }
    : { lastSeqId: state.last_seq_id, lastMessageId: state.last_message_id };

async function discrepanciesOf(sql: Sql, state: State): Promise<Discrepancies> {
  const { id } = state;
  const head = headOf(state);
  const from = head.lastSeqId - comparedMessages;
  const [readers, uncounted, unmarked, miscounted] = (await sql.batch(
    [
      // Members are few against pointers of all users: conversation_members_conversation, then the primary key.
      formatSql(
        `SELECT p.user_id FROM conversation_members m
         JOIN user_read_pointers p ON p.user_id = m.user_id AND p.conversation_id = m.conversation_id
         WHERE m.conversation_id = ? AND p.last_read_seq_id > ? ORDER BY p.user_id LIMIT ?`,
        [id, head.lastSeqId, mostRows],
      ),
      formatSql(
        `SELECT m.seq_id, m.id AS message_id, m.sender_id FROM messages m
         LEFT JOIN message_recalls r ON r.conversation_id = m.conversation_id AND r.seq_id = m.seq_id
         WHERE m.conversation_id = ? AND m.seq_id > ? AND m.deleted AND r.seq_id IS NULL
         ORDER BY m.seq_id LIMIT ?`,
        [id, from, mostRows],
      ),
      formatSql(
        `SELECT r.seq_id FROM message_recalls r
         JOIN messages m ON m.conversation_id = r.conversation_id AND m.seq_id = r.seq_id
         WHERE r.conversation_id = ? AND r.seq_id > ? AND NOT m.deleted ORDER BY r.seq_id LIMIT ?`,
        [id, from, mostRows],
      ),
      miscountedBlocks(id, comparedFrom(head.lastSeqId)),
    ].join(';\n'),
  )) as [{ user_id: number }[], Recall[], { seq_id: number }[], unknown[]];
  return {
    memberCount: state.member_count !== state.members,
    head: state.last_seq_id !== (state.newest_seq_id ?? 0) || state.last_message_id !== head.lastMessageId,
    lastMessage: state.projected_message_id !== head.lastMessageId,
    readers: readers.map(({ user_id }) => user_id),
    uncounted,
    unmarked: unmarked.map(({ seq_id }) => seq_id),
    miscounted: miscounted.length,
  };
}

const report = (state: State, found: Discrepancies, mended: boolean): WrongConversation => ({
  conversationId: String(state.id),
  memberCount: found.memberCount,
  head: found.head,
  lastMessage: found.lastMessage,
  readPointers: found.readers.length,
  unread: found.uncounted.length + found.unmarked.length + found.miscounted,
  mended: mended && !isHeadless(state),
});

/** Messages up to the head are gone: nothing here can bring them back. */
const isHeadless = (state: State): boolean => (state.newest_seq_id ?? 0) < state.last_seq_id;

async function repair(
  tx: Transaction,
  touch: Change['touch'],
  state: State,
  found: Discrepancies,
): Promise<void> {
  const { id } = state;
  const { lastSeqId, lastMessageId } = headOf(state);
  await touch([...conversationKeys(id), ...memberKeys(found.readers)]);
  const statements = [
    formatSql(
      'UPDATE conversation_heads SET last_seq_id = ?, last_message_id = ? WHERE conversation_id = ?',
      [lastSeqId, lastMessageId, id],
    ),
    formatSql(
      `UPDATE conversations SET member_count = ?, last_message_id = ?, changed_at = ${databaseTime} WHERE id = ?`,
      [state.members, lastMessageId, id],
    ),
  ];
  if (found.readers.length > 0) {
    statements.push(
      formatSql(
        `UPDATE user_read_pointers SET last_read_seq_id = ?, updated_at = ${databaseTime}
         WHERE user_id IN (?) AND conversation_id = ?`,
        [lastSeqId, found.readers, id],
      ),
    );
  }
  if (found.uncounted.length > 0) {
    statements.push(
      ...storeRecalls(
        id,
        found.uncounted.map((one) => ({ seqId: one.seq_id, messageId: one.message_id, by: one.sender_id })),
      ),
    );
  }
  if (found.miscounted > 0) statements.push(...recountRecalls(id, comparedFrom(lastSeqId)));
  if (found.unmarked.length > 0) {
    // Whoever recalled it was told that it is gone.
    statements.push(
      formatSql(
        "UPDATE messages SET deleted = TRUE, content = '' WHERE conversation_id = ? AND seq_id IN (?)",
        [id, found.unmarked],
      ),
    );
  }
  await tx.batchAndCommit(statements.join(';\n'));
}
