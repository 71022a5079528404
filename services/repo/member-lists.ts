import { LRUCache } from 'lru-cache';
import type { Databases } from './database.ts';

/** Who belongs to a conversation at one member_version, in the order of their ids. */
export type MemberList = { readonly version: number; readonly userIds: readonly string[] };

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

  async function load(conversationIds: readonly string[]): Promise<Map<string, MemberList>> {
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
        for (const [id, list] of await load(missing.slice(from, from + conversationsAQuery))) {
          lists.set(id, list);
          kept.set(id, list);
        }
      }
      return lists;
    },
  };
}
