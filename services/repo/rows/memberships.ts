import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { type Cache, cacheKey, cacheKind } from '../cache/cache.ts';
import { changedFor } from '../storage/change-time.ts';
import type { Database } from '../storage/database.ts';
import { type Databases, fromAll, type Lost, noteLost } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';
import { conversationIdOf, noAccess, notMember } from './conversation-access.ts';

/** A user's membership in a conversation: the fields that change only when the membership itself changes. */
export type Membership = {
  conversationId: string;
  role: number;
  muted: boolean;
  /** Unix milliseconds. */
  joinedAt: number;
  /** The other user, in a single conversation. */
  peerId?: string;
  /** The member's choice: "mentions" or "none". Missing for the default. */
  notifications?: string;
  pinned?: true;
  /** The conversation's last seq id when the member hid it. */
  hiddenAtSeqId?: number;
};

/**
 * True if the conversation is hidden from the member's list. It reappears with the first message after it was hidden.
 */
export const isHidden = (
  { hiddenAtSeqId }: { hiddenAtSeqId?: number | null | undefined },
  lastSeqId: number,
): boolean => hiddenAtSeqId !== undefined && hiddenAtSeqId !== null && lastSeqId <= hiddenAtSeqId;

export const userMemberships = cacheKind<Membership[]>('user:conversations:full', 60 * 60_000);
export const membershipsKey = (userId: string): string => cacheKey(userMemberships, userId);

export type MembershipRow = {
  conversation_id: number;
  role: number;
  muted: number;
  joined_at: number;
  peer_id: number | null;
  notifications: string | null;
  pinned: number;
  hidden_at_seq_id: number | null;
};

/** The columns of `MembershipRow` except peer_id. */
export const membershipColumns = (member: string): string =>
  ['conversation_id', 'role', 'muted', 'joined_at', 'notifications', 'pinned', 'hidden_at_seq_id']
    .map((column) => `${member}.${column}`)
    .join(', ');

/** SQL for the other user's id in `single_key`. It is NULL in groups and the world room. */
export const peerIdColumn = (member: string, conversation: string): string =>
  `CAST(IF(SUBSTRING_INDEX(${conversation}.single_key, ':', 1) = ${member}.user_id,
     SUBSTRING_INDEX(${conversation}.single_key, ':', -1),
     SUBSTRING_INDEX(${conversation}.single_key, ':', 1)) AS SIGNED)`;

export const fromMembershipRow = (row: MembershipRow): Membership => ({
  conversationId: String(row.conversation_id),
  role: row.role,
  muted: isTrue(row.muted),
  joinedAt: row.joined_at,
  ...(row.peer_id === null ? {} : { peerId: String(row.peer_id) }),
  ...(row.notifications === null ? {} : { notifications: row.notifications }),
  ...(isTrue(row.pinned) ? { pinned: true } : {}),
  ...(row.hidden_at_seq_id === null ? {} : { hiddenAtSeqId: row.hidden_at_seq_id }),
});

/**
 * Reads a user's memberships in active conversations, through the cache. Those in databases that do not answer are left
 * out: whoever does not find a conversation here asks its own database (`noAccess`). With `complete`, such a database
 * makes the call fail; with `lost`, it is noted there.
 */
export async function readMemberships(
  deps: { cache: Pick<Cache, 'read'>; databases: Databases },
  userId: string,
  { complete = false, lost: noted }: { complete?: boolean; lost?: Lost | undefined } = {},
): Promise<Membership[]> {
  const { databases } = deps;
  let incomplete: Membership[] | undefined;
  const found = await deps.cache.read(userMemberships, [userId], async () => {
    const lost = complete ? undefined : (noted ?? noteLost(databases));
    const list = await loadMemberships(databases, Number(userId), lost);
    if (!lost?.size) return new Map([[userId, list]]);
    incomplete = list;
    return new Map();
  });
  return found.get(userId) ?? incomplete ?? [];
}

async function loadMemberships({ shards }: Databases, userId: number, lost?: Lost): Promise<Membership[]> {
  // Index: the primary key of conversation_members.
  const read = (shard: Database) =>
    shard.query<MembershipRow>(
      `SELECT ${membershipColumns('m')}, ${peerIdColumn('m', 'c')} AS peer_id
       FROM conversation_members m
       JOIN conversations c ON c.id = m.conversation_id AND c.status = ${conversationStatus.active}
       WHERE m.user_id = ?`,
      [userId],
    );
  return (await fromAll(shards, read, lost)).map(fromMembershipRow);
}

/**
 * Returns the ids of a user's active conversations with a message, or any other change for this user, at or after
 * `since` (Unix milliseconds). With `lost`, those in databases that do not answer are left out.
 */
export async function readUpdated(
  { shards }: Databases,
  userId: number,
  since: number,
  lost?: Lost,
): Promise<string[]> {
  const changedAt = changedFor({ conversation: 'c', member: 'm', pointer: 'p' });
  // Indexes: primary keys.
  const read = (shard: Database) =>
    shard.query<{ id: number }>(
      `SELECT c.id FROM conversation_members m
       JOIN conversations c ON c.id = m.conversation_id AND c.status = ${conversationStatus.active}
       LEFT JOIN user_read_pointers p ON p.user_id = m.user_id AND p.conversation_id = m.conversation_id
       WHERE m.user_id = ? AND GREATEST(c.updated_at, ${changedAt}) >= ?`,
      [userId, since],
    );
  return (await fromAll(shards, read, lost)).map(({ id }) => String(id));
}

export type RequireMember = (userId: string, conversationId: string) => Promise<number>;

/**
 * Returns the id of a conversation for one of its members, by the cached memberships. Throws CONVERSATION_NOT_FOUND or
 * NOT_CONVERSATION_MEMBER.
 */
export const createRequireMember =
  (deps: { cache: Cache; databases: Databases }): RequireMember =>
  async (userId, conversationId) => {
    const id = conversationIdOf(conversationId);
    if (parseId(userId) === undefined) throw notMember();
    const reading = await deps.cache.reading([[userMemberships, userId]]);
    const memberships = await readMemberships({ databases: deps.databases, cache: reading }, userId);
    if (!isAmong(memberships, String(id))) throw await noAccess(deps.databases.messagesOf(id), id);
    return id;
  };

/** The conversation ids per list of memberships. Cached lists are shared and never mutated. */
const idsOf = new WeakMap<readonly Membership[], Set<string>>();

/** True if the conversation is in the list. It builds a set once per list, because each page of messages asks this. */
export function isAmong(memberships: readonly Membership[], conversationId: string): boolean {
  let ids = idsOf.get(memberships);
  if (!ids) {
    ids = new Set(memberships.map((membership) => membership.conversationId));
    idsOf.set(memberships, ids);
  }
  return ids.has(conversationId);
}
