// Room: the life of single conversations and groups, from creation to dissolution, and the repair of their counters.
// Changes of individual members belong to the members room.

import {
  conversationStatus,
  conversationType,
  inviters,
  memberRole,
} from '../../../lib/domain/enumerations.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { conversationNotFound, invalid } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { CreateConversationRequest } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { Cache } from '../cache/cache.ts';
import { conversationCreated } from '../conversation-changes/conversation-events.ts';
import { changeTimes, denied, lockRow } from '../conversation-changes/conversation-lock.ts';
import {
  conversationKeys,
  deleteMembers,
  deletePointers,
  insertMembers,
  memberKeys,
} from '../conversation-changes/member-rows.ts';
import { readUnwilling, refuseBlockers, userIdsOf } from '../conversation-changes/newcomers.ts';
import { type FileAccess, requireReadablePicture } from '../files/file-access.ts';
import { changePicture } from '../files/file-references.ts';
import { readFlowTexts } from '../once/flow-texts.ts';
import { insertEvents, type Outbox, writeEvents } from '../outbox/outbox.ts';
import { conversationIdOf, userIdOf } from '../rows/conversation-access.ts';
import { formatSql, isDuplicateKey, type Transaction } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';

export type NewConversation = { conversationId: number; created: boolean; refused: string[] };

/**
 * Creates groups in two steps, so that members can be added in batches: nobody sees a group in state "creating" until
 * it is activated, and it can be discarded instead. Every step is idempotent.
 */
export function createGroupConversation(deps: {
  databases: Databases;
  cache: Cache;
  ids: Pick<Ids, 'nextId'>;
  outbox: Outbox;
  access: FileAccess;
}) {
  const { databases, cache, ids, outbox, access } = deps;

  return {
    /**
     * Stores the group with its owner and first members; `created` is false if it exists already. Throws
     * INVALID_ARGUMENT, USER_NOT_FOUND, BLOCKED or GROUP_FULL; for a given id also CONVERSATION_NOT_FOUND (the group is
     * dissolved), PERMISSION_DENIED (the id belongs to another conversation) or UNAVAILABLE.
     */
    async create(request: CreateConversationRequest): Promise<NewConversation> {
      const id = request.conversationId === '' ? ids.nextId() : conversationIdOf(request.conversationId);
      const ownerId = userIdOf(request.creatorId);
      const maxMembers = request.maxMembers === 0 ? limits.groupMembers.usual : request.maxMembers;
      checkMaxMembers(maxMembers);
      const wanted =
        request.initialMemberIds.length === 0
          ? []
          : userIdsOf('initial_member_ids', request.initialMemberIds).filter((userId) => userId !== ownerId);
      const unwilling = await readUnwilling(databases, ownerId, [ownerId, ...wanted]);
      refuseBlockers(wanted, unwilling.blockers);
      const first = wanted.filter((userId) => !unwilling.friendsOnly.has(userId));
      const refused = wanted.filter((userId) => unwilling.friendsOnly.has(userId)).map(String);
      if (first.length + 1 > maxMembers) throw groupFull(maxMembers);
      try {
        await insert(request, { id, ownerId, first, maxMembers });
        return { conversationId: id, created: true, refused };
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        await resumeCreation(id, ownerId);
        return { conversationId: id, created: false, refused };
      } finally {
        outbox.wake();
      }
    },

    /** Shows the group to its members. Returns the owner's id. Throws CONVERSATION_NOT_FOUND. */
    async activate(conversationId: number): Promise<string> {
      const ownerId = await cache.change((touch) =>
        databases.messagesOf(conversationId).transaction(async (tx) => {
          const locked = await lockRow(tx, conversationId);
          if (!locked || locked.conversation.status === conversationStatus.dissolved)
            throw conversationNotFound();
          const { owner_id, status, type } = locked.conversation;
          if (status === conversationStatus.active) return owner_id;
          const memberIds = await readMemberIds(tx, conversationId);
          await touch([...conversationKeys(conversationId), ...memberKeys(memberIds)]);
          await tx.batchAndCommit(
            [
              `UPDATE conversations SET status = ${conversationStatus.active}, ${changeTimes(Date.now())}
               WHERE id = ${conversationId}`,
              insertEvents(conversationCreated({ id: conversationId, type }, String(owner_id), memberIds)),
            ].join(';\n'),
          );
          return owner_id;
        }),
      );
      outbox.wake();
      return String(ownerId);
    },

    /**
     * Deletes a group that was never activated. `begunBefore` (Unix milliseconds, 0 for any time): throws
     * PERMISSION_DENIED if the creation was begun or resumed at that time or later. Does nothing if the group is gone.
     */
    async discard(conversationId: number, begunBefore: number): Promise<void> {
      await databases.messagesOf(conversationId).transaction(async (tx) => {
        const locked = await lockRow(tx, conversationId);
        if (!locked) return;
        if (locked.conversation.status !== conversationStatus.creating) {
          throw denied('Only a group that is still being created can be discarded.');
        }
        if (begunBefore > 0 && locked.conversation.created_at >= begunBefore) {
          throw denied('The creation of this group was begun or resumed too recently.');
        }
        const memberIds = await readMemberIds(tx, conversationId);
        await tx.batchAndCommit(
          [
            `DELETE FROM conversation_heads WHERE conversation_id = ${conversationId}`,
            `DELETE FROM conversations WHERE id = ${conversationId}`,
            ...deleteMembers(conversationId, memberIds),
            ...deletePointers(conversationId, memberIds),
            ...changePicture(conversationId, locked.conversation.avatar_url, ''),
          ].join(';\n'),
        );
      });
    },
  };

  type NewGroup = { id: number; ownerId: number; first: readonly number[]; maxMembers: number };

  async function insert(request: CreateConversationRequest, { id, ownerId, first, maxMembers }: NewGroup) {
    const members = [
      { userId: ownerId, role: memberRole.owner },
      ...first.map((userId) => ({ userId, role: memberRole.member })),
    ];
    const memberIds = members.map(({ userId }) => userId);
    const { activate } = request;
    const { group } = conversationType;
    const status = activate ? conversationStatus.active : conversationStatus.creating;
    const {
      name = '',
      avatarUrl = '',
      description = '',
    } = request.textsId ? await readFlowTexts(databases.users, request.textsId, ownerId) : request;
    await requireReadablePicture(access, ownerId, avatarUrl);
    await cache.change((touch) =>
      databases.messagesOf(id).transaction(async (tx) => {
        if (activate) await touch(memberKeys(memberIds));
        const now = Date.now();
        const events = activate ? conversationCreated({ id, type: group }, String(ownerId), memberIds) : [];
        await tx.batch(
          [
            `INSERT INTO conversation_heads (conversation_id) VALUES (${id})`,
            formatSql(
              `INSERT INTO conversations (id, type, status, name, avatar_url, description, announcement, owner_id,
                 member_count, invite_by, mute_all, max_members, created_at, updated_at)
               VALUES (?)`,
              [
                [
                  id,
                  group,
                  status,
                  name,
                  avatarUrl,
                  description,
                  '',
                  ownerId,
                  members.length,
                  inviters.admins,
                  false,
                  maxMembers,
                  now,
                  now,
                ],
              ],
            ),
            ...insertMembers(id, members, 0, now),
            ...changePicture(id, '', avatarUrl),
          ].join(';\n'),
        );
        await writeEvents(tx, events);
      }),
    );
  }

  /**
   * Resumes the creation of a group that an earlier attempt stored. Sets `created_at` to now, so that the removal of
   * unfinished groups spares it. Throws if the row with this id is not a group of this owner.
   */
  async function resumeCreation(id: number, ownerId: number): Promise<void> {
    await databases
      .messagesOf(id)
      .execute(
        `UPDATE conversations SET created_at = ? WHERE id = ? AND owner_id = ? AND status = ${conversationStatus.creating}`,
        [Date.now(), id, ownerId],
      );
    const [row] = await databases
      .messagesOf(id)
      .query<{ status: number; owner_id: number; type: number }>(
        'SELECT status, owner_id, type FROM conversations WHERE id = ?',
        [id],
      );
    if (!row) throw new GoChatError('UNAVAILABLE', 'The unfinished group was just removed. Try again.');
    if (row.status === conversationStatus.dissolved) throw conversationNotFound();
    if (row.type !== conversationType.group || row.owner_id !== ownerId) {
      throw denied('This conversation id belongs to another conversation.');
    }
  }
}

/** Throws INVALID_ARGUMENT unless a group may have this many members. im-logic's configuration may allow fewer. */
export function checkMaxMembers(maxMembers: number): void {
  const { fewest, most } = limits.groupMembers;
  if (maxMembers < fewest || maxMembers > most) throw invalid('max_members', `must be ${fewest} to ${most}`);
}

export const groupFull = (maxMembers: number) =>
  new GoChatError('GROUP_FULL', `This group has at most ${maxMembers} members.`);

/** The ids of all members, ascending. */
export async function readMemberIds(tx: Transaction, conversationId: number): Promise<number[]> {
  // Index: conversation_members_conversation.
  const rows = await tx.query<{ user_id: number }>(
    'SELECT user_id FROM conversation_members WHERE conversation_id = ? ORDER BY user_id',
    [conversationId],
  );
  return rows.map(({ user_id }) => user_id);
}
