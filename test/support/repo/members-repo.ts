import assert from 'node:assert/strict';
import { openConversationRepo } from './open-repo.ts';

/** Repo's handlers for conversations, with short forms of calls about members. */
export async function openMembersRepo() {
  const { repo } = await openConversationRepo();
  const { addMembers: add, removeMembers: remove, changeMember: change } = repo;

  const page = (userId: string, conversationId: string, fields: object = {}) =>
    repo.conversations.getConversationMembers({
      userId,
      conversationId,
      limit: 0,
      offset: 0,
      memberIds: [],
      ...fields,
    });

  const idsOf = async (conversationId: string) =>
    (await page('', conversationId, { limit: 1000 })).members.map(({ user }) => user?.id);

  /** The stored member set: version, count, and the number of rows that the count must equal. */
  async function stored(conversationId: string) {
    const [row] = await repo.databases.users.query<{ version: number; count: number; members: number }>(
      `SELECT h.member_version AS version, c.member_count AS count,
         (SELECT COUNT(*) FROM conversation_members m WHERE m.conversation_id = c.id) AS members
       FROM conversations c JOIN conversation_heads h ON h.conversation_id = c.id WHERE c.id = ?`,
      [Number(conversationId)],
    );
    assert.ok(row);
    assert.equal(row.count, row.members);
    return row;
  }

  return { repo, add, remove, change, page, idsOf, stored };
}
