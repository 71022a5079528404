import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { limitOf } from '../../../lib/domain/limits.ts';
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
import { formatSql, type Sql, type Transaction } from '../storage/database.ts';
import { type Databases, fromAll } from '../storage/databases.ts';

/** MariaDB turns a list of 1,000 ids or more into a subquery, which would read all messages to find the newest one. */
const pageSize = { usual: 200, most: 500 };
/** Recalls are compared for this many messages back from the head: hardly any unread message is older. */
const comparedMessages = 10_000;
/** Read pointers, and recalls of each kind, repaired in one transaction. The next run finds and repairs the rest. */
const maxRepairedRows = 5000;

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'reconcileConversations'>;

/** Compares counters and heads with the rows that they summarize, and repairs them on request. */
export function createConversationReconcile(deps: { databases: Databases; cache: Cache }): Handlers {
  const { databases, cache } = deps;

  /**
   * Checks a conversation again under its head's lock, and repairs it with `mend`. All writers of these rows hold that
   * lock, so only this check is exact. Returns undefined if nothing is wrong.
   */
  const checkLocked = (id: number, mend: boolean): Promise<WrongConversation | undefined> =>
    cache.change((touch) =>
      databases.messagesOf(id).transaction(async (tx) => {
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
      if (after === undefined) throw invalid('after_conversation_id', 'must be a conversation id');
      const limit = limitOf(request.limit, pageSize);
      const rows = await readPage(databases, after, limit);
      const ids = rows.map(({ id }) => id);
      const wrong: WrongConversation[] = [];
      for (const [shard, some] of databases.byShard(ids, (id) => id)) {
        // The first check takes no locks, so that writers to correct conversations never wait for this job.
        for (const state of await readStates(shard, some)) {
          if (!isWrong(await discrepanciesOf(shard, state))) continue;
          const found = await checkLocked(state.id, mend);
          if (found) wrong.push(found);
        }
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

type Listed = { id: number; status: number; created_at: number };

/** The next conversations by id, of all databases. Each has a world room from its migrations, but one of them is used. */
async function readPage(databases: Databases, after: number, limit: number): Promise<Listed[]> {
  const rows = await fromAll(databases.shards, async (shard) => {
    const some = await shard.query<Listed>(
      'SELECT id, status, created_at FROM conversations WHERE id > ? ORDER BY id LIMIT ?',
      [after, limit],
    );
    return some.filter(({ id }) => databases.messagesOf(id) === shard);
  });
  return rows.sort((a, b) => a.id - b.id).slice(0, limit);
}

type State = {
  id: number;
  member_count: number;
  projected_message_id: number | null;
  last_seq_id: number;
  last_message_id: number | null;
  members: number;
  /** The seq id of the newest stored message; NULL if there is no message. */
  newest_seq_id: number | null;
  newest_message_id: number | null;
};

const readStates = (sql: Sql, ids: readonly number[]): Promise<State[]> =>
  sql.query<State>(
    // Indexes: primary keys, also for the newest message; conversation_members_conversation for the members.
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
  /** Users whose read pointers are beyond the head. */
  readers: number[];
  /** Messages that are marked as recalled, but have no recall row and so count as unread. */
  uncounted: Recall[];
  /** Seq ids that have a recall row and so don't count as unread, but whose messages are not marked as recalled. */
  unmarked: number[];
  /** The number of blocks of seq ids whose count of recalls is wrong. */
  miscounted: number;
};

const isWrong = (found: Discrepancies): boolean =>
  found.memberCount ||
  found.head ||
  found.lastMessage ||
  found.readers.length + found.uncounted.length + found.unmarked.length + found.miscounted > 0;

/** The first block of seq ids whose recalls are compared. */
const comparedFrom = (lastSeqId: number): number =>
  Math.max(0, Math.trunc((lastSeqId - comparedMessages) / seqIdsPerBlock));

/** The correct head. It never goes back: clients may have seen higher seq ids, so these are not used again. */
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
      // Indexes: conversation_members_conversation, then the primary key of user_read_pointers. The query starts from
      // the members, since they are few compared with the pointers of all users.
      formatSql(
        `SELECT p.user_id FROM conversation_members m
         JOIN user_read_pointers p ON p.user_id = m.user_id AND p.conversation_id = m.conversation_id
         WHERE m.conversation_id = ? AND p.last_read_seq_id > ? ORDER BY p.user_id LIMIT ?`,
        [id, head.lastSeqId, maxRepairedRows],
      ),
      formatSql(
        `SELECT m.seq_id, m.id AS message_id, m.sender_id FROM messages m
         LEFT JOIN message_recalls r ON r.conversation_id = m.conversation_id AND r.seq_id = m.seq_id
         WHERE m.conversation_id = ? AND m.seq_id > ? AND m.deleted AND r.seq_id IS NULL
         ORDER BY m.seq_id LIMIT ?`,
        [id, from, maxRepairedRows],
      ),
      formatSql(
        `SELECT r.seq_id FROM message_recalls r
         JOIN messages m ON m.conversation_id = r.conversation_id AND m.seq_id = r.seq_id
         WHERE r.conversation_id = ? AND r.seq_id > ? AND NOT m.deleted ORDER BY r.seq_id LIMIT ?`,
        [id, from, maxRepairedRows],
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

/** True if the newest messages up to the head are missing from the table. Nothing here can restore them. */
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
    // The actor of such a recall got the answer that the message was recalled, so the recall is completed.
    statements.push(
      formatSql(
        "UPDATE messages SET deleted = TRUE, content = '' WHERE conversation_id = ? AND seq_id IN (?)",
        [id, found.unmarked],
      ),
    );
  }
  await tx.batchAndCommit(statements.join(';\n'));
}
