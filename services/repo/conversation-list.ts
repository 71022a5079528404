import { GoChatError } from '../../lib/errors.ts';
import type {
  ConversationWithDetails,
  GetUserConversationsWithDetailsRequest,
  GetUserConversationsWithDetailsResponse,
} from '../../lib/gen/im_repo/v1/conversation.ts';
import type { Cache, Store, StoreOthers } from './cache.ts';
import { noAccess, notMember } from './conversation-access.ts';
import {
  type ConversationBasic,
  conversationBasic,
  readBasics,
  recalledBeyond,
} from './conversation-basic.ts';
import { type ConversationHead, conversationHead, readHeads } from './conversation-head.ts';
import {
  type ConversationView,
  type LoadedViews,
  loadViews,
  toDetails,
  unreadOf,
  usersOf,
  type ViewOptions,
} from './conversation-view.ts';
import type { Databases } from './database.ts';
import { parseId } from './ids.ts';
import { type Membership, userMemberships } from './memberships.ts';
import { type ReadPointers, userUnread } from './read-pointer-cache.ts';
import { loadUnread } from './unread.ts';
import { type UserCards, userInfo } from './user-cards.ts';

const usualPage = 50;
const longestPage = 1000;
/** A cold list reads at least as many details, since the next page is often asked for. */
const coldDetails = 100;
const everything: ViewOptions = { lastMessage: true, senderInfo: true };

export type ConversationList = {
  page(request: GetUserConversationsWithDetailsRequest): Promise<GetUserConversationsWithDetailsResponse>;
  /** One conversation as its member sees it. CONVERSATION_NOT_FOUND, NOT_CONVERSATION_MEMBER. */
  one(userId: string, conversationId: number): Promise<ConversationWithDetails>;
};

/**
 * The conversation list. Cold it is one SQL query. Hot it is three round trips to Redis: the memberships and read
 * pointers of the user, the heads of all conversations, then what the page shows of them. The order hangs on the
 * heads alone, so that a message changes one key and no member's list.
 */
export function createConversationList(deps: {
  databases: Databases;
  cache: Cache;
  userCards: UserCards;
}): ConversationList {
  const { databases, cache, userCards } = deps;

  async function page(request: GetUserConversationsWithDetailsRequest) {
    const { userId, offset } = request;
    const limit = request.limit === 0 ? usualPage : request.limit;
    if (limit < 1 || limit > longestPage) throw invalid('limit', `must be 1 to ${longestPage}`);
    if (offset < 0) throw invalid('offset', 'must not be negative');
    const row = parseId(userId);
    if (row === undefined) return { conversations: [], hasMore: false };
    const options = { lastMessage: request.includeLastMessage, senderInfo: request.includeSenderInfo };
    const slice = <T extends { head: ConversationHead }>(newestFirst: readonly T[]) => {
      const recent = newestFirst.filter(({ head }) => head.updatedAt >= request.updatedSince);
      return { shown: recent.slice(offset, offset + limit), hasMore: recent.length > offset + limit };
    };

    const [cached, [storeMemberships, storePointers], storeOthers] = await cache.peekAll([
      [userMemberships, userId],
      [userUnread, userId],
    ]);
    const memberships = cached[0] as Membership[] | undefined;
    if (!memberships) {
      const loaded = await loadViews(databases.conversations, row, {
        // One more than the page tells whether there is another one.
        detailed: Math.max(offset + limit + 1, coldDetails),
      });
      storeMemberships?.(new Map([[userId, loaded.memberships]]));
      storePointers?.(new Map([[userId, loaded.pointers]]));
      storeLoaded(storeOthers, loaded);
      const { shown, hasMore } = slice(loaded.views);
      return { conversations: shown.map((view) => toDetails(view, loaded.users, options)), hasMore };
    }

    const [pointers, heads] = await Promise.all([
      (cached[1] as ReadPointers | undefined) ?? loadPointers(userId, storePointers),
      readHeads(
        deps,
        memberships.map(({ conversationId }) => conversationId),
      ),
    ]);
    const { shown, hasMore } = slice(newestFirst(memberships, heads));
    const basicsOfPage = readBasics(
      deps,
      shown.map(({ membership }) => membership.conversationId),
    );
    const userIds = shown.flatMap((view) => usersOf(view, options));
    const [basics, users] = await Promise.all([basicsOfPage, userCards.byIds(userIds)]);
    const views = await viewsOf(row, shown, pointers, basics);
    return { conversations: views.map((view) => toDetails(view, users, options)), hasMore };
  }

  async function one(userId: string, conversationId: number) {
    const row = parseId(userId);
    if (row === undefined) throw await noAccess(databases.conversations, conversationId);
    const id = String(conversationId);
    const [[memberships, pointers, basic, head], , storeOthers] = (await cache.peekAll([
      [userMemberships, userId],
      [userUnread, userId],
      [conversationBasic, id],
      [conversationHead, id],
    ])) as [
      [
        Membership[] | undefined,
        ReadPointers | undefined,
        ConversationBasic | undefined,
        ConversationHead | undefined,
      ],
      unknown,
      StoreOthers,
    ];
    if (memberships && pointers && basic && head) {
      const membership = memberships.find((one) => one.conversationId === id);
      if (!membership) throw notMember();
      const [view] = await viewsOf(row, [{ membership, head }], pointers, new Map([[id, basic]]));
      if (view) return toDetails(view, await userCards.byIds(usersOf(view, everything)), everything);
    }
    const loaded = await loadViews(databases.conversations, row, {
      detailed: 1,
      conversationIds: [conversationId],
    });
    const [view] = loaded.views;
    if (!view) throw await noAccess(databases.conversations, conversationId);
    storeLoaded(storeOthers, loaded);
    return toDetails(view, loaded.users, everything);
  }

  /** Puts the parts together; what was dissolved meanwhile is left out. */
  async function viewsOf(
    userId: number,
    shown: readonly Placed[],
    pointers: ReadPointers,
    basics: ReadonlyMap<string, ConversationBasic>,
  ): Promise<ConversationView[]> {
    const views = shown.flatMap(({ membership, head }) => {
      const basic = basics.get(membership.conversationId);
      if (!basic) return [];
      const lastReadSeqId = pointers[membership.conversationId] ?? 0;
      const recalled = recalledBeyond(basic.recalls, lastReadSeqId);
      const unreadCount =
        recalled === undefined ? undefined : unreadOf(head.lastSeqId, lastReadSeqId, recalled);
      return [{ membership, head, basic, lastReadSeqId, unreadCount }];
    });
    // Far behind in a conversation with many recalls: their list doesn't reach back so far.
    const uncounted = views.filter(({ unreadCount }) => unreadCount === undefined);
    const counts = await loadUnread(
      databases.conversations,
      userId,
      uncounted.map(({ membership }) => Number(membership.conversationId)),
    );
    const counted = new Map(counts.map((count) => [count.conversationId, count.unreadCount]));
    return views.map((view) => ({
      ...view,
      unreadCount: view.unreadCount ?? counted.get(view.membership.conversationId) ?? 0,
    }));
  }

  async function loadPointers(userId: string, store?: Store<ReadPointers>): Promise<ReadPointers> {
    // Index: the primary key of user_read_pointers.
    const rows = await databases.conversations.query<{ conversation_id: number; last_read_seq_id: number }>(
      'SELECT conversation_id, last_read_seq_id FROM user_read_pointers WHERE user_id = ?',
      [Number(userId)],
    );
    const pointers = Object.fromEntries(
      rows.map((row) => [String(row.conversation_id), row.last_read_seq_id]),
    );
    store?.(new Map([[userId, pointers]]));
    return pointers;
  }

  return { page, one };
}

type Placed = { membership: Membership; head: ConversationHead };

/** By the later of the last change and the last message; of the same moment, the conversation made later. */
const newestFirst = (
  memberships: readonly Membership[],
  heads: ReadonlyMap<string, ConversationHead>,
): Placed[] =>
  memberships
    .flatMap((membership) => {
      const head = heads.get(membership.conversationId);
      return head ? [{ membership, head }] : [];
    })
    .sort(
      (a, b) =>
        b.head.updatedAt - a.head.updatedAt ||
        Number(b.membership.conversationId) - Number(a.membership.conversationId),
    );

function storeLoaded(storeOthers: StoreOthers, { views, users }: LoadedViews): void {
  storeOthers(conversationBasic, new Map(views.map(({ basic }) => [basic.id, basic])));
  storeOthers(conversationHead, new Map(views.map(({ basic, head }) => [basic.id, head])));
  storeOthers(userInfo, users);
}

const invalid = (path: string, message: string): GoChatError =>
  new GoChatError('INVALID_ARGUMENT', `${path} ${message}.`, [{ path, message }]);
