import { GoChatError } from '../../../lib/errors.ts';
import { isPossibleId } from './formats.ts';

/** Ids are opaque to clients, so one that cannot be an id is treated as one that nothing has. */

export function userId(value: string): string {
  if (!isPossibleId(value)) throw new GoChatError('USER_NOT_FOUND', 'There is no such user.');
  return value;
}

export function conversationId(value: string): string {
  if (!isPossibleId(value)) throw new GoChatError('CONVERSATION_NOT_FOUND', 'There is no such conversation.');
  return value;
}

export function messageId(value: string): number {
  if (!isPossibleId(value)) throw new GoChatError('MESSAGE_NOT_FOUND', 'There is no such message.');
  return Number(value);
}

export function requestId(value: string): string {
  if (!isPossibleId(value)) throw new GoChatError('REQUEST_NOT_FOUND', 'There is no such friend request.');
  return value;
}

/** Each of the users once, in the order given. */
export const userIds = (values: readonly string[]): string[] => [...new Set(values.map(userId))];
