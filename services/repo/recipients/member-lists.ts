import { LRUCache } from 'lru-cache';
import { databaseTime } from '../storage/change-time.ts';
import type { Database } from '../storage/database.ts';
import { type Databases, fromShardsOf, type Lost } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';

/** The members of a conversation at one member_version, in the order of their ids. */
export type MemberList = {
  readonly version: number;
  readonly userIds: readonly string[];
  /** Members who just joined, with the time until which they count as newcomers (performance.now). */
  readonly newcomers: ReadonlyMap<string, number>;
};

/** How long a member counts as a newcomer. The event of the join arrives well within this time. */
const newcomerMs = 2000;
/** `joined_at` comes from the clock of a process, which may differ from the database's clock by this much. */
const clockSkewMs = 5000;
/**
 * How long a conversation counts as new. A group is filled by several calls. Its first members learn of it from
 * `conversation-created`, for which no message waits.
 */
const creationMs = 60_000;

/** The members who joined so recently that the event of it may not have arrived yet. */
export const newcomersOf = ({ newcomers }: MemberList): string[] => {
  if (newcomers.size === 0) return [];
  const at = performance.now();
  return [...newcomers].filter(([, until]) => until > at).map(([userId]) => userId);
};

export type MemberLists = {
  /**
   * Returns member lists by conversation id, at least as new as the requested versions, which were read under the locks
   * of the heads. A cached list of another version is not used. With `lost`, a database that does not answer is noted
   * there, and its lists are left out.
   */
  of(wanted: ReadonlyMap<string, number>, lost?: Lost): Promise<Map<string, MemberList>>;
};

const maxMembers = 2_000_000;
const conversationsPerQuery = 200;

/** Keeps member lists in the memory of this process, bounded by the total number of members. */
export function createMemberLists(databases: Databases): MemberLists {
  const kept = new LRUCache<string, MemberList>({
    maxSize: maxMembers,
    sizeCalculation: ({ userIds }) => userIds.length + 8,
  });

  async function load(
    conversationIds: readonly string[],
    lost: Lost | undefined,
  ): Promise<Map<string, LoadedList>> {
    // One statement reads the version and the members, so that they match. Index: conversation_members_conversation. A
    // membership also changes later (role, mute), so `joined_at` decides whether the member is a newcomer.
    const read = (shard: Database, ids: number[]) =>
      shard.query<Row>(
        `SELECT h.conversation_id AS id, h.member_version AS version, m.user_id AS user,
         IF(m.joined_at > ${databaseTime} - ${newcomerMs + clockSkewMs},
           m.changed_at + ${newcomerMs} - ${databaseTime}, 0) AS new_ms,
         c.created_at > ${databaseTime} - ${creationMs} AS is_new
       FROM conversation_heads h
       LEFT JOIN conversations c ON c.id = h.conversation_id
       LEFT JOIN conversation_members m ON m.conversation_id = h.conversation_id
       WHERE h.conversation_id IN (?)
       ORDER BY h.conversation_id, m.user_id`,
        [ids],
      );
    const rows = await fromShardsOf(databases, conversationIds.map(Number), read, lost);
    const at = performance.now();
    const lists = new Map<string, LoadedList>();
    for (const { id, version, user, new_ms, is_new } of rows) {
      const key = String(id);
      let list = lists.get(key);
      if (!list) {
        list = { version, userIds: [], newcomers: new Map(), isNew: isTrue(is_new) };
        lists.set(key, list);
      }
      if (user === null) continue;
      list.userIds.push(String(user));
      if (new_ms > 0) list.newcomers.set(String(user), at + Math.min(new_ms, newcomerMs));
    }
    return lists;
  }

  return {
    async of(wanted, lost) {
      const lists = new Map<string, MemberList>();
      const missing: string[] = [];
      for (const [id, version] of wanted) {
        const list = kept.get(id);
        if (list?.version === version) lists.set(id, list);
        else missing.push(id);
      }
      for (let from = 0; from < missing.length; from += conversationsPerQuery) {
        for (const [id, loaded] of await load(missing.slice(from, from + conversationsPerQuery), lost)) {
          const { version, userIds } = loaded;
          const list = { version, userIds, newcomers: findNewcomers(kept.get(id), loaded) };
          lists.set(id, list);
          kept.set(id, list);
        }
      }
      return lists;
    },
  };
}

type Row = {
  id: number;
  version: number;
  user: number | null;
  /** How long the member still counts as a newcomer, in milliseconds. */
  new_ms: number;
  is_new: number | null;
};

type LoadedList = { version: number; userIds: string[]; newcomers: Map<string, number>; isNew: boolean };

/**
 * Finds the newcomers. Members of the previous list are none, unless they were newcomers there. The first members of a
 * new conversation are none either.
 */
function findNewcomers(
  before: MemberList | undefined,
  { newcomers, isNew }: LoadedList,
): ReadonlyMap<string, number> {
  if (newcomers.size === 0) return newcomers;
  if (!before) return isNew ? new Map() : newcomers;
  const known = new Set(before.userIds);
  return new Map([...newcomers].filter(([userId]) => !known.has(userId) || before.newcomers.has(userId)));
}
