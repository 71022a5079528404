import { LRUCache } from 'lru-cache';
import type { Databases } from './database.ts';

/** Who belongs to a conversation at one member_version, in the order of their ids. */
export type MemberList = {
  readonly version: number;
  readonly userIds: readonly string[];
  /** Who was not in the list before, by the time (performance.now) when that was found. */
  readonly newcomers: ReadonlyMap<string, number>;
};

/** How long somebody counts as a newcomer: the event that tells of it has come long before. */
const newcomerMs = 2000;

/** Who is in the list since a moment only, so that the event of it may still be on its way. */
export const newcomersOf = ({ newcomers }: MemberList): string[] => {
  if (newcomers.size === 0) return [];
  const since = performance.now() - newcomerMs;
  return [...newcomers].filter(([, at]) => at > since).map(([userId]) => userId);
};

export type MemberLists = {
  /**
   * Lists that are at least as new as the versions asked for, which were read under the heads' locks: a kept list of
   * another version is not used.
   */
  of(wanted: ReadonlyMap<string, number>): Promise<Map<string, MemberList>>;
};

const maxMembers = 2_000_000;
const conversationsAQuery = 200;

/** Member lists in this process's memory, bounded by the members in all of them together. */
export function createMemberLists(databases: Databases): MemberLists {
  const kept = new LRUCache<string, MemberList>({
    maxSize: maxMembers,
    sizeCalculation: ({ userIds }) => userIds.length + 8,
  });

  async function load(
    conversationIds: readonly string[],
  ): Promise<Map<string, Omit<MemberList, 'newcomers'>>> {
    // Version and members in one statement, so that they belong together. Index: conversation_members_conversation.
    const rows = await databases.conversations.query<{ id: number; version: number; user: number | null }>(
      `SELECT h.conversation_id AS id, h.member_version AS version, m.user_id AS user
       FROM conversation_heads h
       LEFT JOIN conversation_members m ON m.conversation_id = h.conversation_id
       WHERE h.conversation_id IN (?)
       ORDER BY h.conversation_id, m.user_id`,
      [conversationIds.map(Number)],
    );
    const lists = new Map<string, { version: number; userIds: string[] }>();
    for (const { id, version, user } of rows) {
      const key = String(id);
      let list = lists.get(key);
      if (!list) {
        list = { version, userIds: [] };
        lists.set(key, list);
      }
      if (user !== null) list.userIds.push(String(user));
    }
    return lists;
  }

  return {
    async of(wanted) {
      const lists = new Map<string, MemberList>();
      const missing: string[] = [];
      for (const [id, version] of wanted) {
        const list = kept.get(id);
        if (list?.version === version) lists.set(id, list);
        else missing.push(id);
      }
      for (let from = 0; from < missing.length; from += conversationsAQuery) {
        for (const [id, { version, userIds }] of await load(
          missing.slice(from, from + conversationsAQuery),
        )) {
          const list = { version, userIds, newcomers: findNewcomers(kept.get(id), userIds) };
          lists.set(id, list);
          kept.set(id, list);
        }
      }
      return lists;
    },
  };
}

/** Without a list of before nobody is new: nothing was sent to the conversation from here. */
function findNewcomers(before: MemberList | undefined, userIds: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  if (!before) return found;
  const since = performance.now() - newcomerMs;
  for (const [userId, at] of before.newcomers) if (at > since) found.set(userId, at);
  const known = new Set(before.userIds);
  for (const userId of userIds) if (!known.has(userId)) found.set(userId, performance.now());
  return found;
}
