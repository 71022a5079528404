// Room: single rows of users, conversations, memberships and messages, read through the cache, with the cache keys that
// a change must touch. It only reads; rules and writes belong in the rooms above.

import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import { type Cache, cacheKey, cacheKind } from '../cache/cache.ts';
import type { Database } from '../storage/database.ts';
import { type Databases, fromShardsOf, type Lost } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';
import { keptRecalls, type RecalledSeqs, readSeqs, recalledOf } from './recall-counts.ts';

/** The part of a conversation that rarely changes and is the same for all members. */
export type ConversationBasic = {
  id: string;
  type: number;
  name: string;
  avatarUrl: string;
  description: string;
  announcement: string;
  /** Empty for single conversations and the world room. */
  ownerId: string;
  memberCount: number;
  inviteBy: string;
  muteAll: boolean;
  maxMembers: number;
  createdAt: number;
  recalls: RecalledSeqs;
};

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
  muteAll: isTrue(row.mute_all),
  maxMembers: row.max_members,
  createdAt: row.created_at,
  recalls,
});

/**
 * Reads the basic parts of active conversations, through the cache. With `lost`, those of databases that do not answer
 * are left out.
 */
export function readBasics(
  deps: { cache: Pick<Cache, 'read'>; databases: Databases },
  conversationIds: readonly string[],
  lost?: Lost,
): Promise<Map<string, ConversationBasic>> {
  return deps.cache.read(conversationBasic, conversationIds, async (missing) => {
    return new Map(await fromShardsOf(deps.databases, missing.map(Number), loadBasics, lost));
  });
}

async function loadBasics(
  database: Database,
  ids: readonly number[],
): Promise<[string, ConversationBasic][]> {
  const [conversations, recalls] = (await database.batch(
    [
      `SELECT ${conversationColumns('c')} FROM conversations c WHERE c.id IN (${ids}) AND c.status = ${conversationStatus.active}`,
      // The largest read pointer: no recall is beyond it, so only the newest seq ids are read.
      `WITH mine AS (
           SELECT id AS conversation_id, ${Number.MAX_SAFE_INTEGER} AS last_read_seq_id
           FROM conversations WHERE id IN (${ids})
         ),
         ${recalledOf({ newest: keptRecalls })}
         SELECT conversation_id, recalls AS total, seqs FROM recalled`,
    ].join(';\n'),
  )) as [ConversationRow[], { conversation_id: number; total: number; seqs: string | null }[]];
  const recalled = new Map(
    recalls.map(({ conversation_id, total, seqs }) => [conversation_id, readSeqs(total, seqs)]),
  );
  return conversations.map((row) => [
    String(row.id),
    fromConversationRow(row, recalled.get(row.id) ?? readSeqs(0, null)),
  ]);
}
