import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { conversationNotFound, userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Sql } from '../storage/database.ts';

/** Parses a conversation id from the wire. Throws CONVERSATION_NOT_FOUND if it is not a valid id. */
export function conversationIdOf(text: string): number {
  const id = parseId(text);
  if (id === undefined) throw conversationNotFound();
  return id;
}

/** Parses a user id from the wire. Throws USER_NOT_FOUND if it is not a valid id. */
export function userIdOf(text: string): number {
  const id = parseId(text);
  if (id === undefined) throw userNotFound();
  return id;
}

export const notMember = () =>
  new GoChatError('NOT_CONVERSATION_MEMBER', 'You are not a member of this conversation.');

/** The error for a user who is not a member: it depends on whether the conversation exists. */
export async function noAccess(sql: Sql, conversationId: number): Promise<GoChatError> {
  const [row] = await sql.query<{ status: number }>('SELECT status FROM conversations WHERE id = ?', [
    conversationId,
  ]);
  return row?.status === conversationStatus.active ? notMember() : conversationNotFound();
}
