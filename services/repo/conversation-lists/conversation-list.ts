// Room: conversations as one of their members sees them: one conversation, and pages of the list. It only reads.

import { rowsAfter } from '../../../lib/domain/conversation-order.ts';
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
import { unavailable } from '../connections/database-errors.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { noAccess, notMember } from '../rows/conversation-access.ts';
import { type ConversationBasic, conversationBasic, readBasics } from '../rows/conversation-basic.ts';
import { type ConversationHead, conversationHead, readHeads } from '../rows/conversation-head.ts';
import { type Membership, readUpdated, userMemberships } from '../rows/memberships.ts';
import { pageAnswers } from '../rows/page-answers.ts';
import { readTag } from '../rows/page-tags.ts';
import { type ReadPointers, userUnread } from '../rows/read-pointer-cache.ts';
import { recalledBeyond } from '../rows/recall-counts.ts';
import { loadUnread } from '../rows/unread.ts';
import type { UserCards } from '../rows/user-cards.ts';
import type { Database } from '../storage/database.ts';
import { type Databases, fromAll, type Lost, noteLost } from '../storage/databases.ts';
import {
  type ConversationView,
  inOrder,
  type LoadedViews,
  loadViews,
  merged,
  type Place,
  positionOf,
  toDetails,
  unreadOf,
  usersOf,
  type ViewOptions,
} from './conversation-view.ts';

/** A page that is not cached reads details of at least this many conversations, since the next page often follows. */
const minColdDetails = 100;
const allDetails: ViewOptions = { lastMessage: true, senderInfo: true };
const answers = pageAnswers<Response>(codec, { conversations: [], hasMore: false }, toConversationPage);
/** Estimated memory of one place in a cached order, with its membership. */
const bytesPerPlace = 250;

export type ConversationList = {
  /**
   * A page of the list, or `unchanged` if its tag is the request's `knownTag`. It is partial while a database of
   * conversations does not answer. Throws INVALID_ARGUMENT.
   */
  page(request: Request): Promise<Encoded<Response>>;
  /** One conversation as this member sees it. Throws CONVERSATION_NOT_FOUND or NOT_CONVERSATION_MEMBER. */
  one(userId: string, conversationId: number): Promise<ConversationWithDetails>;
};

/**
 * The conversation list. If the user's memberships are not cached, a page is one SQL query, and one for the cards of the
 * people in it. Otherwise a page is built from cached parts: the user's memberships and read pointers, the heads of all
 * conversations, and the details of the conversations on the page; only what changed is read from Redis or SQL. The
 * order depends on the heads alone, so that a message invalidates one key and not the list of every member. Only the tag
 * of a page is cached, not the page: a caller that asks again for an unchanged page usually still has it.
 */
export function createConversationList(deps: {
  databases: Databases;
  cache: Cache;
  userCards: UserCards;
  links: FileLinks;
}): ConversationList {
  const { databases, cache, userCards, links } = deps;

  async function page(request: Request): Promise<Encoded<Response>> {
    const { userId, cursor, updatedSince, includeLastMessage, includeSenderInfo, asJson = false } = request;
    const { limit, offset, after } = readPaging('conversations', request);
    const row = parseId(userId);
    if (row === undefined) return answers.full({ conversations: [], hasMore: false }, asJson);
    const lost = noteLost(databases);
    const wanted: Wanted = {
      userId,
      row,
      after,
      lost,
      async slice(places) {
        let wanted = rowsAfter(places, after, positionOf);
        if (updatedSince === 0) {
          wanted = wanted.filter(({ hidden }) => !hidden);
        } else {
          // Includes conversations that the user hid since: the client has to remove them from its list.
          const updated = new Set(await readUpdated(databases, row, updatedSince, lost));
          wanted = wanted.filter(({ membership }) => updated.has(membership.conversationId));
        }
        return pageOf('conversations', wanted.slice(offset, offset + limit + 1), limit, positionOf);
      },
      visibleFirst: updatedSince === 0,
      // One conversation beyond the page tells whether there is another page.
      detailed: Math.max(offset + limit + 1, minColdDetails),
      options: { lastMessage: includeLastMessage, senderInfo: includeSenderInfo },
    };

    const reading = await cache.reading([
      [userMemberships, userId],
      [userUnread, userId],
    ]);
    const build = async (from: Reading) => {
      const built = (await hotPage(reading, from, wanted)) ?? (await coldPage(wanted));
      if (!lost?.size) return answers.full(built, asJson);
      if (lost.size === databases.shards.length) throw unavailable();
      from.doNotCache();
      return answers.full({ ...built, partial: true }, asJson);
    };
    const options = [includeLastMessage, includeSenderInfo, asJson];
    const key = ['page', userId, limit, offset, cursor, updatedSince, ...options].join(' ');
    const { tag, built } = await readTag({ reading, links }, key, build);
    if (tag === request.knownTag) return answers.unchanged(tag);
    return built ?? build(reading);
  }

  /** Undefined if the user's memberships are not cached. Changes of values read through `from` invalidate the tag. */
  async function hotPage(reading: Reading, from: Reading, { userId, row, slice, options, lost }: Wanted) {
    // Asked for at the same time, both reads share one round trip.
    const [places, known] = await Promise.all([placesOf(from, userId, lost), from.peek(userUnread, userId)]);
    if (!places) return undefined;
    // The slice may read SQL. It comes after the reads that the tag depends on, so that no later change goes unnoticed.
    const { rows, hasMore, nextCursor } = await slice(places);
    const ids = rows.map(({ membership }) => membership.conversationId);
    // Not through `from`: the tag already depends on the order, and the order on every head.
    const heads = await readHeads({ databases, cache: reading }, ids, lost);
    const placed = rows.flatMap(({ membership }): Placed[] => {
      const head = heads.get(membership.conversationId);
      return head ? [{ membership, head }] : [];
    });
    const userIds = placed.flatMap((view) => usersOf(view, options));
    const [pointers, basics, users] = await Promise.all([
      known ?? readPointers(from, userId, row, lost),
      readBasics({ databases, cache: from }, ids, lost),
      userCards.byIds(userIds, from),
    ]);
    const views = await viewsOf(row, placed, pointers, basics, lost);
    return {
      conversations: views.map((view) => toDetails(view, users, options, links)),
      hasMore,
      nextCursor,
    };
  }

  /** All of the user's conversations in order. After a change of some heads, only their conversations are moved. */
  async function placesOf(
    reading: Reading,
    userId: string,
    lost: Lost | undefined,
  ): Promise<Place[] | undefined> {
    const compute: Compute<Place[] | undefined> = async (from) => {
      const memberships = await from.peek(userMemberships, userId);
      if (!memberships) {
        from.doNotCache();
        return { value: undefined, bytes: 0 };
      }
      const heads = await readHeads(
        { databases, cache: from },
        memberships.map(({ conversationId }) => conversationId),
        lost,
      );
      if (lost?.size) from.doNotCache();
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
        const heads = await readHeads({ databases, cache: from }, ids, lost);
        if (lost?.size) from.doNotCache();
        const placed = inOrder(
          moved.map(({ membership }) => membership),
          heads,
        );
        const staying = old?.filter((place) => !isMoving(place)) ?? [];
        return merged(placed, staying);
      },
    });
  }

  async function coldPage({ userId, row, after, visibleFirst, slice, detailed, options, lost }: Wanted) {
    const [, [storeMemberships, storePointers], storeOthers] = await cache.peekAll([
      [userMemberships, userId],
      [userUnread, userId],
    ]);
    const loaded = await loadViews(deps, row, { detailed, after, visibleFirst, lost });
    if (!lost?.size) {
      storeMemberships?.(new Map([[userId, loaded.places.map(({ membership }) => membership)]]));
      storePointers?.(new Map([[userId, loaded.pointers]]));
    }
    storeLoaded(storeOthers, loaded);
    const page = await slice(loaded.places);
    const shown = page.rows.map(({ membership }) => membership);
    const views = new Map(loaded.views.map((view) => [view.basic.id, view]));
    // With `updatedSince`, a page may show conversations far down in the order, which have no details yet.
    const further = shown.filter(({ conversationId }) => !views.has(conversationId));
    const others = await loadViews(deps, row, {
      detailed: further.length,
      conversationIds: further.map(({ conversationId }) => Number(conversationId)),
      lost,
    });
    for (const view of others.views) views.set(view.basic.id, view);
    const users = new Map([...loaded.users, ...others.users]);
    const conversations = shown.flatMap(({ conversationId }) => {
      const view = views.get(conversationId);
      return view ? [toDetails(view, users, options, links)] : [];
    });
    return { conversations, hasMore: page.hasMore, nextCursor: page.nextCursor };
  }

  async function one(userId: string, conversationId: number) {
    const row = parseId(userId);
    if (row === undefined) throw await noAccess(databases.messagesOf(conversationId), conversationId);
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
      if (view) return toDetails(view, await userCards.byIds(usersOf(view, allDetails)), allDetails, links);
    }
    const loaded = await loadViews(deps, row, {
      detailed: 1,
      conversationIds: [conversationId],
    });
    const [view] = loaded.views;
    if (!view) throw await noAccess(databases.messagesOf(conversationId), conversationId);
    storeLoaded(storeOthers, loaded);
    return toDetails(view, loaded.users, allDetails, links);
  }

  /** Combines the parts. Leaves out conversations that were dissolved meanwhile. */
  async function viewsOf(
    userId: number,
    shown: readonly Placed[],
    pointers: ReadPointers,
    basics: ReadonlyMap<string, ConversationBasic>,
    lost?: Lost,
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
    // The cached recalls don't reach back to the read pointer of a member who is far behind: SQL counts these.
    const uncounted = views.filter(({ unreadCount }) => unreadCount === undefined);
    const counts = await loadUnread(
      databases,
      userId,
      uncounted.map(({ membership }) => Number(membership.conversationId)),
      lost,
    );
    const counted = new Map(counts.map((count) => [count.conversationId, count.unreadCount]));
    const isCounted = ({ unreadCount, membership }: (typeof views)[number]) =>
      unreadCount !== undefined || counted.has(membership.conversationId);
    // Of a conversation whose database does not answer nothing may be shown that is not known.
    const known = lost?.size ? views.filter(isCounted) : views;
    return known.map((view) => ({
      ...view,
      unreadCount: view.unreadCount ?? counted.get(view.membership.conversationId) ?? 0,
    }));
  }

  async function readPointers(
    reading: Reading,
    userId: string,
    row: number,
    lost: Lost | undefined,
  ): Promise<ReadPointers> {
    const found = await reading.read(userUnread, [userId], async () => {
      // Index: the primary key of user_read_pointers.
      type Pointer = { conversation_id: number; last_read_seq_id: number };
      const read = (shard: Database) =>
        shard.query<Pointer>(
          'SELECT conversation_id, last_read_seq_id FROM user_read_pointers WHERE user_id = ?',
          [row],
        );
      const rows = await fromAll(databases.shards, read, lost);
      return new Map([
        [userId, Object.fromEntries(rows.map((one) => [String(one.conversation_id), one.last_read_seq_id]))],
      ]);
    });
    return found.get(userId) ?? {};
  }

  return { page, one };
}

type Placed = { membership: Membership; head: ConversationHead };
/** The page that a request asks for. */
type Wanted = {
  userId: string;
  row: number;
  /** The page begins after this place. */
  after: Position<'conversations'> | undefined;
  /** The databases that do not answer: the page is built without their conversations. */
  lost: Lost | undefined;
  /** Cuts the page out of all of the user's conversations, which are in order. */
  slice(
    places: readonly Place[],
  ): Promise<{ rows: Place[]; hasMore: boolean; nextCursor: string | undefined }>;
  /** The page leaves hidden conversations out, so the details of visible ones are read first. */
  visibleFirst: boolean;
  /** How many conversations get details if nothing is cached. */
  detailed: number;
  options: ViewOptions;
};

function storeLoaded(storeOthers: StoreOthers, { views }: LoadedViews): void {
  storeOthers(conversationBasic, new Map(views.map(({ basic }) => [basic.id, basic])));
  storeOthers(conversationHead, new Map(views.map(({ basic, head }) => [basic.id, head])));
}
