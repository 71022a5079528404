import { isId, parseId } from './ids.ts';
import { conversationNotFound, friendRequestNotFound, messageNotFound, userNotFound } from './refusals.ts';

/**
 * Checks of ids in requests. Ids are opaque to clients, so a text that is no possible id gets the same not-found
 * error as an unknown id.
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

/** Checks user ids, and removes duplicates. The order stays the same. */
export const checkUserIds = (texts: readonly string[]): string[] => [...new Set(texts.map(checkUserId))];
