import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Sql } from '../storage/database.ts';
import { parseId } from '../storage/ids.ts';

/** The row id of a conversation id on the wire; one that can't name any names none. */
export function conversationIdOf(text: string): number {
  const id = parseId(text);
  if (id === undefined) throw notFound();
  return id;
}

/** The row id of a user id that a caller of ours gives. */
export function userIdOf(text: string): number {
  const id = parseId(text);
  if (id === undefined) throw new GoChatError('USER_NOT_FOUND', 'There is no such user.');
  return id;
}

export const notFound = () => new GoChatError('CONVERSATION_NOT_FOUND', 'There is no such conversation.');
export const notMember = () =>
  new GoChatError('NOT_CONVERSATION_MEMBER', 'You are not a member of this conversation.');

/** What somebody gets who asked for a conversation and is no member of it. */
export async function noAccess(sql: Sql, conversationId: number): Promise<GoChatError> {
  const [row] = await sql.query<{ status: number }>('SELECT status FROM conversations WHERE id = ?', [
    conversationId,
  ]);
  return row?.status === conversationStatus.active ? notMember() : notFound();
}
