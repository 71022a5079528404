import { type Cache, cacheKey, cacheKind } from './cache.ts';
import type { Databases } from './database.ts';

/** What of a conversation changes rarely, and is the same for all of its members. */
export type ConversationBasic = {
  id: string;
  type: number;
  name: string;
  avatarUrl: string;
  description: string;
  announcement: string;
  /** Empty for single and world. */
  ownerId: string;
  memberCount: number;
  inviteBy: string;
  muteAll: boolean;
  maxMembers: number;
  createdAt: number;
  recalls: RecalledSeqs;
};

/** Recalled seq ids, newest first: all of them from `from` on. They are not counted as unread. */
export type RecalledSeqs = { from: number; seqIds: number[] };

export const conversationBasic = cacheKind<ConversationBasic>('conversation:basic', 30 * 60_000);
export const basicKey = (conversationId: string): string => cacheKey(conversationBasic, conversationId);

export type ConversationRow = {
  id: number;
  type: number;
  name: string;
  avatar_url: string;
  description: string;
  announcement: string;
  owner_id: number;
  member_count: number;
  invite_by: string;
  mute_all: number;
  max_members: number;
  created_at: number;
};

export const conversationColumns = (alias: string): string =>
  [
    'id',
    'type',
    'name',
    'avatar_url',
    'description',
    'announcement',
    'owner_id',
    'member_count',
    'invite_by',
    'mute_all',
    'max_members',
    'created_at',
  ]
    .map((column) => `${alias}.${column}`)
    .join(', ');

export const fromConversationRow = (row: ConversationRow, recalls: RecalledSeqs): ConversationBasic => ({
  id: String(row.id),
  type: row.type,
  name: row.name,
  avatarUrl: row.avatar_url,
  description: row.description,
  announcement: row.announcement,
  ownerId: row.owner_id === 0 ? '' : String(row.owner_id),
  memberCount: row.member_count,
  inviteBy: row.invite_by,
  muteAll: row.mute_all === 1,
  maxMembers: row.max_members,
  createdAt: row.created_at,
  recalls,
});

/** Below what GROUP_CONCAT gives unasked (1,024 bytes) with seq ids of up to 16 digits. */
const keptRecalls = 60;

/** Basics of conversations that are open, through the cache. */
export function readBasics(
  deps: { cache: Pick<Cache, 'read'>; databases: Databases },
  conversationIds: readonly string[],
): Promise<Map<string, ConversationBasic>> {
  return deps.cache.read(conversationBasic, conversationIds, async (missing) => {
    const ids = missing.map(Number);
    const [conversations, recalls] = (await deps.databases.conversations.batch(
      [
        `SELECT ${conversationColumns('c')} FROM conversations c WHERE c.id IN (${ids}) AND c.status = 1`,
        `SELECT conversation_id, COUNT(*) AS total, GROUP_CONCAT(seq_id ORDER BY seq_id DESC) AS seqs
         FROM message_recalls WHERE conversation_id IN (${ids}) GROUP BY conversation_id`,
      ].join(';\n'),
    )) as [ConversationRow[], { conversation_id: number; total: number; seqs: string }[]];
    const recalled = new Map(
      recalls.map(({ conversation_id, total, seqs }) => [conversation_id, readSeqs(total, seqs)]),
    );
    return new Map(
      conversations.map((row) => [
        String(row.id),
        fromConversationRow(row, recalled.get(row.id) ?? { from: 0, seqIds: [] }),
      ]),
    );
  });
}

/** The server cuts a long list off, maybe within a number: only the first ones count then. */
export function readSeqs(total: number, list: string | null): RecalledSeqs {
  const seqIds = list === null ? [] : list.split(',', keptRecalls).map(Number);
  return { from: seqIds.length === total ? 0 : (seqIds.at(-1) ?? 0), seqIds };
}

/** How many messages beyond a read pointer were recalled; undefined when what is kept doesn't reach back so far. */
export function recalledBeyond({ from, seqIds }: RecalledSeqs, lastReadSeqId: number): number | undefined {
  if (lastReadSeqId + 1 < from) return undefined;
  return seqIds.filter((seqId) => seqId > lastReadSeqId).length;
}
