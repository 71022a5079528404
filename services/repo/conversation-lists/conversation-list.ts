// Room: conversations as one member sees them: a single one, and pages of the list. It changes nothing.

import { newestFirst, rowsAfter } from '../../../lib/domain/conversation-order.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { type Position, pageOf, readPaging } from '../../../lib/domain/paging.ts';
import {
  type ConversationWithDetails,
  GetUserConversationsWithDetailsResponse as codec,
  type GetUserConversationsWithDetailsRequest as Request,
  type GetUserConversationsWithDetailsResponse as Response,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { Encoded } from '../../../lib/grpc/definition.ts';
import { toConversationPage } from '../../../lib/wire/conversation.ts';
import type { Cache, Compute, Reading, StoreOthers } from '../cache/cache.ts';
import { noAccess, notMember } from '../rows/conversation-access.ts';
import { type ConversationBasic, conversationBasic, readBasics } from '../rows/conversation-basic.ts';
import { type ConversationHead, conversationHead, readHeads } from '../rows/conversation-head.ts';
import { isHidden, type Membership, readUpdated, userMemberships } from '../rows/memberships.ts';
import { pageAnswers, type TaggedPage } from '../rows/page-answers.ts';
import { type ReadPointers, userUnread } from '../rows/read-pointer-cache.ts';
import { recalledBeyond } from '../rows/recall-counts.ts';
import { loadUnread } from '../rows/unread.ts';
import { type UserCards, userInfo } from '../rows/user-cards.ts';
import type { Databases } from '../storage/database.ts';
import {
  type ConversationView,
  type LoadedViews,
  loadViews,
  type Place,
  toDetails,
  unreadOf,
  usersOf,
  type ViewOptions,
} from './conversation-view.ts';

/** A cold list reads at least as many details, since the next page is often asked for. */
const coldDetails = 100;
const everything: ViewOptions = { lastMessage: true, senderInfo: true };
const answers = pageAnswers<Response>(codec, { conversations: [], hasMore: false }, toConversationPage);
/** About what a place in an order that is kept takes, with its membership. */
const bytesPerPlace = 250;

export type ConversationList = {
  /** A page, or that it is the one with the tag that the caller knows. */
  page(request: Request): Promise<Encoded<Response>>;
  /** One conversation as its member sees it. CONVERSATION_NOT_FOUND, NOT_CONVERSATION_MEMBER. */
  one(userId: string, conversationId: number): Promise<ConversationWithDetails>;
};

/**
 * The conversation list. Cold it is one SQL query. Hot it is made of the memberships and read pointers of the user, the
 * heads of all conversations, and what the page shows of them, out of memory but for what changed since. The order hangs
 * on the heads alone, so that a message changes one key and no member's list. Of a page only its tag is kept: whoever
 * asks again for an unchanged one mostly holds it.
 */
export function createConversationList(deps: {
  databases: Databases;
  cache: Cache;
  userCards: UserCards;
}): ConversationList {
  const { databases, cache, userCards } = deps;

  async function page(request: Request): Promise<Encoded<Response>> {
    const { userId, cursor, updatedSince, includeLastMessage, includeSenderInfo, asJson = false } = request;
    const { limit, offset, after } = readPaging('conversations', request);
    const row = parseId(userId);
    if (row === undefined) return answers.full({ conversations: [], hasMore: false }, asJson);
    const wanted: Wanted = {
      userId,
      row,
      after,
      async slice(places) {
        let wanted = rowsAfter(places, after, positionOf);
        if (updatedSince === 0) {
          wanted = wanted.filter(({ hidden }) => !hidden);
        } else {
          // What was hidden since is told, too.
          const updated = new Set(await readUpdated(databases.conversations, row, updatedSince));
          wanted = wanted.filter(({ membership }) => updated.has(membership.conversationId));
        }
        return pageOf('conversations', wanted.slice(offset, offset + limit + 1), limit, positionOf);
      },
      listedFirst: updatedSince === 0,
      // One more than the page tells whether there is another one.
      detailed: Math.max(offset + limit + 1, coldDetails),
      options: { lastMessage: includeLastMessage, senderInfo: includeSenderInfo },
    };

    const reading = await cache.reading([
      [userMemberships, userId],
      [userUnread, userId],
    ]);
    const build = async (from: Reading) =>
      answers.full((await hotPage(reading, from, wanted)) ?? (await coldPage(wanted)), asJson);
    const options = [includeLastMessage, includeSenderInfo, asJson];
    const key = ['page', userId, limit, offset, cursor, updatedSince, ...options].join(' ');
    let built: TaggedPage<Response> | undefined;
    const tag = await reading.derive(key, async (from) => {
      built = await build(from);
      return { value: built.tag, bytes: built.tag.length };
    });
    if (tag === request.knownTag) return answers.unchanged(tag);
    return built ?? build(reading);
  }

  /** Undefined when the user's memberships are not cached. The page changes with what is read through `from`. */
  async function hotPage(reading: Reading, from: Reading, { userId, row, slice, options }: Wanted) {
    // What can be asked for at the same time travels together.
    const [places, known] = await Promise.all([placesOf(from, userId), from.peek(userUnread, userId)]);
    if (!places) return undefined;
    // Read behind what the page hangs on: whatever changes later ends the page.
    const { rows, hasMore, nextCursor } = await slice(places);
    const ids = rows.map(({ membership }) => membership.conversationId);
    // Not through `from`: the order changes with every head.
    const heads = await readHeads({ databases, cache: reading }, ids);
    const placed = rows.flatMap(({ membership }): Placed[] => {
      const head = heads.get(membership.conversationId);
      return head ? [{ membership, head }] : [];
    });
    const userIds = placed.flatMap((view) => usersOf(view, options));
    const [pointers, basics, users] = await Promise.all([
      known ?? readPointers(from, userId, row),
      readBasics({ databases, cache: from }, ids),
      userCards.byIds(userIds, from),
    ]);
    const views = await viewsOf(row, placed, pointers, basics);
    return { conversations: views.map((view) => toDetails(view, users, options)), hasMore, nextCursor };
  }

  /** All of the user's conversations in order; of a kept order only what moved is placed anew. */
  async function placesOf(reading: Reading, userId: string): Promise<Place[] | undefined> {
    const compute: Compute<Place[] | undefined> = async (from) => {
      const memberships = await from.peek(userMemberships, userId);
      if (!memberships) {
        from.doNotCache();
        return { value: undefined, bytes: 0 };
      }
      const heads = await readHeads(
        { databases, cache: from },
        memberships.map(({ conversationId }) => conversationId),
      );
      const value = inOrder(memberships, heads);
      return { value, bytes: bytesPerPlace * value.length };
    };
    return reading.derive(`order ${userId}`, compute, {
      kind: conversationHead,
      async patch(old, ids, from) {
        const moving = new Set(ids);
        const isMoving = ({ membership }: Place) => moving.has(membership.conversationId);
        const moved = old?.filter(isMoving) ?? [];
        if (moved.length < ids.length) return undefined;
        const heads = await readHeads({ databases, cache: from }, ids);
        const placed = inOrder(
          moved.map(({ membership }) => membership),
          heads,
        );
        const staying = old?.filter((place) => !isMoving(place)) ?? [];
        return merged(placed, staying);
      },
    });
  }

  async function coldPage({ userId, row, after, listedFirst, slice, detailed, options }: Wanted) {
    const [, [storeMemberships, storePointers], storeOthers] = await cache.peekAll([
      [userMemberships, userId],
      [userUnread, userId],
    ]);
    const loaded = await loadViews(databases.conversations, row, { detailed, after, listedFirst });
    storeMemberships?.(new Map([[userId, loaded.places.map(({ membership }) => membership)]]));
    storePointers?.(new Map([[userId, loaded.pointers]]));
    storeLoaded(storeOthers, loaded);
    const page = await slice(loaded.places);
    const shown = page.rows.map(({ membership }) => membership);
    const views = new Map(loaded.views.map((view) => [view.basic.id, view]));
    // What changed since a moment may be far down in the order.
    const further = shown.filter(({ conversationId }) => !views.has(conversationId));
    const others = await loadViews(databases.conversations, row, {
      detailed: further.length,
      conversationIds: further.map(({ conversationId }) => Number(conversationId)),
    });
    for (const view of others.views) views.set(view.basic.id, view);
    const users = new Map([...loaded.users, ...others.users]);
    const conversations = shown.flatMap(({ conversationId }) => {
      const view = views.get(conversationId);
      return view ? [toDetails(view, users, options)] : [];
    });
    return { conversations, hasMore: page.hasMore, nextCursor: page.nextCursor };
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

  async function readPointers(reading: Reading, userId: string, row: number): Promise<ReadPointers> {
    const found = await reading.read(userUnread, [userId], async () => {
      // Index: the primary key of user_read_pointers.
      const rows = await databases.conversations.query<{ conversation_id: number; last_read_seq_id: number }>(
        'SELECT conversation_id, last_read_seq_id FROM user_read_pointers WHERE user_id = ?',
        [row],
      );
      return new Map([
        [userId, Object.fromEntries(rows.map((one) => [String(one.conversation_id), one.last_read_seq_id]))],
      ]);
    });
    return found.get(userId) ?? {};
  }

  return { page, one };
}

type Placed = { membership: Membership; head: ConversationHead };
type Wanted = {
  userId: string;
  row: number;
  /** Begins behind this place. */
  after: Position<'conversations'> | undefined;
  /** The page out of all of the user's conversations in order. */
  slice(
    places: readonly Place[],
  ): Promise<{ rows: Place[]; hasMore: boolean; nextCursor: string | undefined }>;
  /** Hidden conversations don't belong to the page. */
  listedFirst: boolean;
  detailed: number;
  options: ViewOptions;
};

const inOrder = (memberships: readonly Membership[], heads: ReadonlyMap<string, ConversationHead>): Place[] =>
  memberships
    .flatMap((membership): Place[] => {
      const head = heads.get(membership.conversationId);
      if (!head) return [];
      return [{ membership, updatedAt: head.updatedAt, hidden: isHidden(membership, head.lastSeqId) }];
    })
    .sort(byTime);

const positionOf = ({ membership, updatedAt }: Place): Position<'conversations'> => [
  updatedAt,
  Number(membership.conversationId),
];

const byTime = (a: Place, b: Place): number => newestFirst(positionOf(a), positionOf(b));

/** Two orders as one. */
function merged(some: readonly Place[], others: readonly Place[]): Place[] {
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

function storeLoaded(storeOthers: StoreOthers, { views, users }: LoadedViews): void {
  storeOthers(conversationBasic, new Map(views.map(({ basic }) => [basic.id, basic])));
  storeOthers(conversationHead, new Map(views.map(({ basic, head }) => [basic.id, head])));
  storeOthers(userInfo, users);
}
