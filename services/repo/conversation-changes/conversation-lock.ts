// Room: what every change of a conversation needs: its lock, its events and its members' rows. The rooms above decide
// what changes and who may change it.

import { chunks } from '../../../lib/chunks.ts';
import { conversationStatus, conversationType } from '../../../lib/domain/enumerations.ts';
import { conversationNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import { notMember } from '../rows/conversation-access.ts';
import { type ConversationRow, conversationColumns } from '../rows/conversation-basic.ts';
import { databaseTime } from '../storage/change-time.ts';
import type { Sql } from '../storage/database.ts';
import { idsPerList } from '../storage/sql.ts';

export type LockedConversation = ConversationRow & {
  status: number;
  send_state: number;
  updated_at: number;
  last_seq_id: number;
  last_message_id: number | null;
  last_change_seq: number;
};

type HeadColumn = 'last_seq_id' | 'last_message_id' | 'last_change_seq';

export type MemberRow = { user_id: number; role: number; muted: number; joined_at: number };
export type Members = ReadonlyMap<number, MemberRow>;

/**
 * Locks the conversation's head and row until the end of the transaction, and reads which of these users are members.
 * Every change of a conversation or its members holds this lock. Returns undefined if there is no such row.
 */
export async function lockRow(
  tx: Sql,
  conversationId: number,
  userIds: readonly number[] = [],
): Promise<{ conversation: LockedConversation; members: Members } | undefined> {
  const [heads, rows, ...members] = (await tx.batch(
    [
      `SELECT last_seq_id, last_message_id, last_change_seq FROM conversation_heads
       WHERE conversation_id = ${conversationId} FOR UPDATE`,
      `SELECT ${conversationColumns('c')}, c.status, c.send_state, c.updated_at
       FROM conversations c WHERE c.id = ${conversationId} FOR UPDATE`,
      // Index: conversation_members_conversation or the primary key.
      ...chunks(userIds, idsPerList).map(
        (ids) =>
          `SELECT user_id, role, muted, joined_at FROM conversation_members
           WHERE conversation_id = ${conversationId} AND user_id IN (${ids})`,
      ),
    ].join(';\n'),
  )) as [Pick<LockedConversation, HeadColumn>[], Omit<LockedConversation, HeadColumn>[], ...MemberRow[][]];
  const [head] = heads;
  const [row] = rows;
  if (!head || !row) return undefined;
  return {
    conversation: { ...row, ...head },
    members: new Map(members.flat().map((member) => [member.user_id, member])),
  };
}

/** Like `lockRow`, for an active conversation. Throws CONVERSATION_NOT_FOUND for any other. */
export async function lockActive(tx: Sql, conversationId: number, userIds: readonly number[]) {
  const locked = await lockRow(tx, conversationId, userIds);
  if (locked?.conversation.status !== conversationStatus.active) throw conversationNotFound();
  return locked;
}

/**
 * Returns the actor's member row. Throws NOT_CONVERSATION_MEMBER, or PERMISSION_DENIED if the conversation is not a
 * group.
 */
export function requireGroupMember(
  { conversation, members }: { conversation: LockedConversation; members: Members },
  actorId: number,
): MemberRow {
  const actor = members.get(actorId);
  if (!actor) throw notMember();
  requireGroup(conversation);
  return actor;
}

export function requireGroup({ type }: ConversationRow): void {
  if (type !== conversationType.group) throw denied('Only groups can be changed.');
}

export const denied = (message: string) => new GoChatError('PERMISSION_DENIED', message);

/**
 * The SET assignments of the change times, for every change of a conversation; `now` is in Unix milliseconds. MySQL and
 * MariaDB both read the old value of `updated_at` on the right-hand side.
 */
export const changeTimes = (now: number): string =>
  `updated_at = GREATEST(updated_at, ${now}), changed_at = ${databaseTime}`;
