import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { conversationNotFound, userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Sql } from '../storage/database.ts';

/** The row id of a conversation id on the wire; one that can't name any names none. */
export function conversationIdOf(text: string): number {
  const id = parseId(text);
  if (id === undefined) throw conversationNotFound();
  return id;
}

/** The row id of a user id that a caller of ours gives. */
export function userIdOf(text: string): number {
  const id = parseId(text);
  if (id === undefined) throw userNotFound();
  return id;
}

export const notMember = () =>
  new GoChatError('NOT_CONVERSATION_MEMBER', 'You are not a member of this conversation.');

/** What somebody gets who asked for a conversation and is no member of it. */
export async function noAccess(sql: Sql, conversationId: number): Promise<GoChatError> {
  const [row] = await sql.query<{ status: number }>('SELECT status FROM conversations WHERE id = ?', [
    conversationId,
  ]);
  return row?.status === conversationStatus.active ? notMember() : conversationNotFound();
}
