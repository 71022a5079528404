import { newestFirst } from '../../../lib/domain/conversation-order.ts';
import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import type { Position } from '../../../lib/domain/paging.ts';
import type { ConversationWithDetails } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import {
  type ConversationBasic,
  type ConversationRow,
  conversationColumns,
  fromConversationRow,
} from '../rows/conversation-basic.ts';
import type { ConversationHead } from '../rows/conversation-head.ts';
import { toProtoConversation } from '../rows/conversation-row.ts';
import {
  fromMembershipRow,
  isHidden,
  type Membership,
  type MembershipRow,
  membershipColumns,
  peerIdColumn,
} from '../rows/memberships.ts';
import { fromMessageRow, type MessageRow, messageColumns, toMessage } from '../rows/message-rows.ts';
import type { ReadPointers } from '../rows/read-pointer-cache.ts';
import { keptRecalls, readSeqs, recalledOf } from '../rows/recall-counts.ts';
import { cardOf, type UserCards } from '../rows/user-cards.ts';
import { type Database, formatSql, type ReadToken } from '../storage/database.ts';
import { type Databases, fromAll, fromShardsOf, type Lost } from '../storage/databases.ts';
import { queryWithToken } from '../storage/replicas.ts';
import { isTrue } from '../storage/sql.ts';

/** A conversation as one of its members sees it. Each part is cached under its own key. */
export type ConversationView = {
  membership: Membership;
  lastReadSeqId: number;
  unreadCount: number;
  basic: ConversationBasic;
  head: ConversationHead;
};

export type ViewOptions = { lastMessage: boolean; senderInfo: boolean };

/** A view as the wire type, with what `options` asks for. */
export function toDetails(
  { membership, lastReadSeqId, unreadCount, basic, head }: ConversationView,
  users: ReadonlyMap<string, User>,
  options: ViewOptions,
  links: FileLinks,
): ConversationWithDetails {
  const { lastMessage } = head;
  const { conversationId, role, muted, joinedAt, peerId, notifications, pinned } = membership;
  const hidden = isHidden(membership, head.lastSeqId);
  return {
    conversation: toProtoConversation(basic, head, links),
    userMembership: {
      conversationId,
      user: undefined,
      role,
      muted,
      joinedAt,
      lastReadSeqId,
      notifications,
      pinned,
      hidden: hidden || undefined,
    },
    lastMessage:
      lastMessage && options.lastMessage
        ? toMessage(lastMessage, options.senderInfo ? users : idOnly(lastMessage.senderId), links)
        : undefined,
    unreadCount,
    peer: peerId === undefined ? undefined : cardOf(users, peerId),
  };
}

/** The sender's card without its texts, for a caller that did not ask for the sender's details. */
const idOnly = (id: string): Map<string, User> =>
  new Map([[id, { id, username: '', displayName: '', avatarUrl: '', isGuest: false, createdAt: 0 }]]);

/** The ids of the users whose cards `toDetails` shows: the peer and the sender of the last message. */
export const usersOf = (
  { membership, head }: Pick<ConversationView, 'membership' | 'head'>,
  options: ViewOptions,
): string[] => [
  ...(membership.peerId === undefined ? [] : [membership.peerId]),
  ...(options.lastMessage && options.senderInfo && head.lastMessage ? [head.lastMessage.senderId] : []),
];

export const unreadOf = (lastSeqId: number, lastReadSeqId: number, recalledBeyond: number): number =>
  Math.max(0, lastSeqId - lastReadSeqId - recalledBeyond);

/** A membership and its place in the list's order. A hidden conversation has a place too. */
export type Place = { membership: Membership; updatedAt: number; hidden: boolean };

export const positionOf = ({ membership, updatedAt }: Place): Position<'conversations'> => [
  updatedAt,
  Number(membership.conversationId),
];

/** The order of the list, newest first. */
export const byTime = (a: Place, b: Place): number => newestFirst(positionOf(a), positionOf(b));

/** Conversations in the order of the list. Those without a head are left out. */
export const inOrder = (
  memberships: readonly Membership[],
  heads: ReadonlyMap<string, ConversationHead>,
): Place[] =>
  memberships
    .flatMap((membership): Place[] => {
      const head = heads.get(membership.conversationId);
      if (!head) return [];
      return [{ membership, updatedAt: head.updatedAt, hidden: isHidden(membership, head.lastSeqId) }];
    })
    .sort(byTime);

/** Merges two sorted lists. */
export function merged(some: readonly Place[], others: readonly Place[]): Place[] {
  const all: Place[] = [];
  let at = 0;
  for (const place of some) {
    for (let next = others[at]; next && byTime(next, place) < 0; next = others[at]) {
      all.push(next);
      at += 1;
    }
    all.push(place);
  }
  return all.concat(others.slice(at));
}

/** `users` has the cards that the views show: their peers and the senders of their last messages. */
export type LoadedViews = {
  /**
   * All conversations that the query covers, newest first. With `after`, those after that place come first; with
   * `visibleFirst`, hidden ones come last.
   */
  places: Place[];
  pointers: ReadPointers;
  /** The first `detailed` of them in each database. */
  views: ConversationView[];
  users: Map<string, User>;
};

type LoadOptions = {
  detailed: number;
  /** Conversations after this place get details first, then the newest. */
  after?: Position<'conversations'> | undefined;
  /** Hidden conversations get details only after all others. */
  visibleFirst?: boolean;
  conversationIds?: readonly number[];
  includeCreating?: boolean;
  /** With it, the conversations of databases that do not answer are left out. */
  lost?: Lost | undefined;
};

/**
 * Reads a user's conversations in one query per database that holds any: every membership, and the details of the first
 * `detailed` ones of each database. The cards of the users whom they show come through the cache. `conversationIds`
 * restricts the query to some conversations. `includeCreating` includes groups that are still being created, for their
 * creator.
 */
export async function loadViews(
  { databases, userCards }: { databases: Databases; userCards: UserCards },
  userId: number,
  options: LoadOptions,
): Promise<LoadedViews> {
  const { conversationIds, lost } = options;
  const rows = conversationIds
    ? await fromShardsOf(
        databases,
        conversationIds,
        (shard, ids) => loadRows(shard, userId, { ...options, conversationIds: ids }),
        lost,
      )
    : await fromAll(databases.shards, (shard) => loadRows(shard, userId, options), lost);
  const detailedRows = rows.filter((row) => row.conversation__id !== null && row.last_seq_id !== null);
  const views = detailedRows.map(fromRow);
  const places = rows.map((row) => ({
    membership: fromMembershipRow(row),
    updatedAt: row.updated_at,
    hidden: isTrue(row.is_hidden),
  }));
  return {
    places: databases.shards.length === 1 ? places : places.sort(inOrderOf(options)),
    pointers: Object.fromEntries(rows.map((row) => [String(row.conversation_id), row.last_read_seq_id])),
    views,
    users: await userCards.byIds(
      views.flatMap((view) => usersOf(view, { lastMessage: true, senderInfo: true })),
    ),
  };
}

/** The order of one database's rows, for places of several databases. */
function inOrderOf({ after, visibleFirst }: LoadOptions): (a: Place, b: Place) => number {
  const rank = (place: Place): number => {
    const isLate = after !== undefined && newestFirst(positionOf(place), after) <= 0;
    return (visibleFirst && place.hidden ? 2 : 0) + (isLate ? 1 : 0);
  };
  return (a, b) => rank(a) - rank(b) || byTime(a, b);
}

async function loadRows(database: Database, userId: number, options: LoadOptions): Promise<Row[]> {
  const { detailed, after, conversationIds } = options;
  const { creating, active } = conversationStatus;
  const statuses = options.includeCreating ? [creating, active] : [active];
  const some = conversationIds ? formatSql('AND member.conversation_id IN (?)', [conversationIds]) : '';
  const first = after
    ? formatSql(
        `(conversation.updated_at < ? OR (conversation.updated_at = ? AND conversation.id < ?)) DESC,`,
        [after[0], ...after],
      )
    : '';
  const visibleFirst = options.visibleFirst ? 'hidden.conversation_id IS NOT NULL,' : '';
  // Indexes: the primary keys of all tables; for recalls, see `recalledOf`. The join `hidden` reads only the heads of
  // conversations that the user hid.
  const { rows, token } = await queryWithToken<Row>(
    database,
    `WITH mine AS (
       SELECT member.user_id, ${membershipColumns('member')},
         hidden.conversation_id IS NOT NULL AS is_hidden,
         ${peerIdColumn('member', 'conversation')} AS peer_id,
         COALESCE(pointer.last_read_seq_id, 0) AS last_read_seq_id, conversation.updated_at,
         ROW_NUMBER() OVER (
           ORDER BY ${visibleFirst} ${first} conversation.updated_at DESC, conversation.id DESC
         ) AS place
       FROM conversation_members member
       JOIN conversations conversation
         ON conversation.id = member.conversation_id AND conversation.status IN (${statuses})
       LEFT JOIN user_read_pointers pointer
         ON pointer.user_id = member.user_id AND pointer.conversation_id = member.conversation_id
       LEFT JOIN conversation_heads hidden
         ON hidden.conversation_id = IF(member.hidden_at_seq_id IS NULL, NULL, member.conversation_id)
         AND hidden.last_seq_id <= member.hidden_at_seq_id
       WHERE member.user_id = ${userId} ${some}
     ),
     ${recalledOf({ newest: keptRecalls, where: `mine.place <= ${detailed}` })}
     SELECT ${membershipColumns('mine')}, mine.is_hidden, mine.peer_id, mine.last_read_seq_id,
       mine.updated_at, head.last_seq_id, head.last_message_id, head.last_change_seq,
       ${prefixed(conversationColumns('conversation'))},
       ${prefixed(messageColumns('message'))},
       COALESCE(recalled.recalls, 0) AS recalls, recalled.seqs AS recalled_seqs,
       COALESCE(recalled.beyond, 0) AS recalled_beyond
     FROM mine
     LEFT JOIN recalled ON recalled.conversation_id = mine.conversation_id
     LEFT JOIN conversations conversation
       ON conversation.id = mine.conversation_id AND mine.place <= ${detailed}
     LEFT JOIN conversation_heads head ON head.conversation_id = conversation.id
     LEFT JOIN messages message
       ON message.conversation_id = conversation.id AND message.seq_id = head.last_seq_id
     ORDER BY mine.place`,
  );
  return token === undefined ? rows : rows.map((row) => ({ ...row, token }));
}

type Row = MembershipRow & {
  is_hidden: number;
  last_read_seq_id: number;
  /** NULL in rows without details. */
  last_seq_id: number | null;
  last_message_id: number | null;
  last_change_seq: number | null;
  updated_at: number;
  recalls: number;
  recalled_seqs: string | null;
  recalled_beyond: number;
  token?: ReadToken;
  conversation__id: number | null;
  message__id: number | null;
};

function fromRow(row: Row): ConversationView {
  const lastSeqId = row.last_seq_id ?? 0;
  return {
    membership: fromMembershipRow(row),
    lastReadSeqId: row.last_read_seq_id,
    unreadCount: unreadOf(lastSeqId, row.last_read_seq_id, row.recalled_beyond),
    basic: fromConversationRow(
      partOf<ConversationRow>(row, 'conversation'),
      readSeqs(row.recalls, row.recalled_seqs),
    ),
    head: {
      lastSeqId,
      lastMessageId: row.last_message_id ?? 0,
      lastChangeSeq: row.last_change_seq ?? 0,
      updatedAt: row.updated_at,
      ...(row.message__id === null
        ? {}
        : { lastMessage: fromMessageRow(partOf<MessageRow>(row, 'message')) }),
      ...(row.token === undefined ? {} : { token: row.token }),
    },
  };
}

/** Gives each column an alias that contains its table, since a row holds columns of several: `a.b AS a__b`. */
const prefixed = (columns: string): string => columns.replace(/(\w+)\.(\w+)/g, '$1.$2 AS $1__$2');

/** The columns of one table out of such a row. */
const partOf = <R>(row: object, alias: string): R =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([name]) => name.startsWith(`${alias}__`))
      .map(([name, value]) => [name.slice(alias.length + 2), value]),
  ) as R;
