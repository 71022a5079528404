import { conversationStatus, conversationType } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { pageOf, readPaging } from '../../../lib/domain/paging.ts';
import { conversationNotFound } from '../../../lib/domain/refusals.ts';
import type {
  ConversationMember,
  ConversationServiceService,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Cache } from '../cache/cache.ts';
import { denied } from '../conversation-changes/conversation-lock.ts';
import { hasReceipts, type ReceiptAudience } from '../receipts/receipt-audience.ts';
import { conversationIdOf, noAccess } from '../rows/conversation-access.ts';
import { cardOf, type UserCards } from '../rows/user-cards.ts';
import { formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'getConversationMembers'>;
type Deps = {
  databases: Databases;
  cache: Cache;
  userCards: UserCards;
  receipts: ReceiptAudience;
};

const maxPageSize = 1000;

/** Lists a conversation's members in pages. The order by user id is stable while members come and go. */
export function createMembersRead(deps: Deps): Handlers {
  const { databases } = deps;
  return {
    async getConversationMembers(request) {
      const id = conversationIdOf(request.conversationId);
      const { limit, offset, after: [afterUserId] = [0] } = readPaging('members', request, maxPageSize);
      if (request.userId !== '') await checkMember(databases, id, parseId(request.userId) ?? 0);
      else await checkExists(databases, id);
      if (request.memberIds.length > 0) {
        const wanted = request.memberIds.map(parseId).filter((userId) => userId !== undefined);
        return { members: await loadMembers(deps, id, wanted, request.userId), hasMore: false };
      }
      const rows = await databases.messagesOf(id).query<Row>(
        // Index: conversation_members_conversation. It covers the subquery, so that skipping an offset reads only the
        // index; a cursor is a position in it.
        `SELECT ${columns}
         FROM (SELECT user_id, conversation_id FROM conversation_members
               WHERE conversation_id = ? AND user_id > ? ORDER BY user_id LIMIT ? OFFSET ?) page
         JOIN conversation_members m ON m.user_id = page.user_id AND m.conversation_id = page.conversation_id
         ${joins} ORDER BY m.user_id`,
        [id, afterUserId, limit + 1, offset],
      );
      const page = pageOf('members', rows, limit, (row) => [row.user_id]);
      const { hasMore, nextCursor } = page;
      return { members: await toMembers(deps, id, page.rows, request.userId), hasMore, nextCursor };
    },
  };
}

/** These members as the viewer sees them, ascending by user id. Users who are not members are left out. */
export async function loadMembers(
  deps: Deps,
  conversationId: number,
  userIds: readonly number[],
  viewerId: string,
): Promise<ConversationMember[]> {
  if (userIds.length === 0) return [];
  const rows = await deps.databases.messagesOf(conversationId).query<Row>(
    // Index: the primary key of conversation_members.
    `SELECT ${columns} FROM conversation_members m ${joins}
     WHERE m.user_id IN (?) AND m.conversation_id = ? ORDER BY m.user_id`,
    [userIds, conversationId],
  );
  return toMembers(deps, conversationId, rows, viewerId);
}

type Row = {
  user_id: number;
  role: number;
  muted: number;
  joined_at: number;
  last_read_seq_id: number | null;
  type: number;
  send_state: number;
  member_count: number;
};

const columns = `m.user_id, m.role, m.muted, m.joined_at, p.last_read_seq_id, c.type, c.send_state, c.member_count`;
const joins = `LEFT JOIN user_read_pointers p ON p.user_id = m.user_id AND p.conversation_id = m.conversation_id
  JOIN conversations c ON c.id = m.conversation_id`;

/** Whose read pointers the viewer sees: its own and those of members whose read receipts it may get. No viewer: all. */
async function readersShown(
  { receipts, cache }: Deps,
  rows: readonly Row[],
  viewerId: string,
): Promise<ReadonlySet<string>> {
  const userIds = rows.map((row) => String(row.user_id));
  const [place] = rows;
  if (viewerId === '' || !place) return new Set(userIds);
  if (!hasReceipts(place)) return new Set([viewerId]);
  const read = {
    readerId: viewerId,
    otherIds: userIds.filter((userId) => userId !== viewerId),
    single: place.type === conversationType.single,
  };
  // Receipts are mutual, so this asks from the viewer's side once instead of from each member's.
  const [shown = []] = await receipts.of([read], cache);
  return new Set([viewerId, ...shown]);
}

async function toMembers(
  deps: Deps,
  conversationId: number,
  rows: readonly Row[],
  viewerId: string,
): Promise<ConversationMember[]> {
  const [users, shown] = await Promise.all([
    deps.userCards.byIds(rows.map((row) => String(row.user_id))),
    readersShown(deps, rows, viewerId),
  ]);
  return rows.map((row) => ({
    conversationId: String(conversationId),
    user: cardOf(users, String(row.user_id)),
    role: row.role,
    muted: isTrue(row.muted),
    joinedAt: row.joined_at,
    lastReadSeqId: shown.has(String(row.user_id)) ? (row.last_read_seq_id ?? 0) : 0,
  }));
}

async function checkMember(databases: Databases, conversationId: number, userId: number): Promise<void> {
  const [row] = await databases.messagesOf(conversationId).query<{ type: number }>(
    formatSql(
      `SELECT c.type FROM conversation_members m
       JOIN conversations c ON c.id = m.conversation_id AND c.status = ${conversationStatus.active}
       WHERE m.user_id = ? AND m.conversation_id = ?`,
      [userId, conversationId],
    ),
  );
  if (!row) throw await noAccess(databases.messagesOf(conversationId), conversationId);
  // Everybody is a member of the world room: its list would be a list of all users.
  if (row.type === conversationType.world)
    throw denied('Only operators can list the members of the world room.');
}

async function checkExists(databases: Databases, conversationId: number): Promise<void> {
  const rows = await databases
    .messagesOf(conversationId)
    .query('SELECT 1 FROM conversations WHERE id = ?', [conversationId]);
  if (rows.length === 0) throw conversationNotFound();
}
