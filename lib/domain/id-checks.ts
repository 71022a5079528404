import { isId, parseId } from './ids.ts';
import { conversationNotFound, friendRequestNotFound, messageNotFound, userNotFound } from './refusals.ts';

/**
 * Checks of ids that callers give. Ids are opaque to clients, so a text that can be no id is answered like an id that
 * nothing has.
 */

export function checkUserId(text: string): string {
  if (!isId(text)) throw userNotFound();
  return text;
}

export function checkConversationId(text: string): string {
  if (!isId(text)) throw conversationNotFound();
  return text;
}

export function checkFriendRequestId(text: string): string {
  if (!isId(text)) throw friendRequestNotFound();
  return text;
}

export function checkMessageId(text: string): number {
  const id = parseId(text);
  if (id === undefined) throw messageNotFound();
  return id;
}

/** Each of the users once, in the order given. */
export const checkUserIds = (texts: readonly string[]): string[] => [...new Set(texts.map(checkUserId))];
