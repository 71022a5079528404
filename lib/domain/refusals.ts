import { GoChatError } from '../errors.ts';

/** Refusals that more than one service gives: the same words wherever it is noticed. */

/** A field that is wrong, with what it must be: `name` `must not be empty`. */
export const invalid = (path: string, message: string): GoChatError =>
  new GoChatError('INVALID_ARGUMENT', `${path} ${message}.`, [{ path, message }]);

export const userNotFound = (): GoChatError => new GoChatError('USER_NOT_FOUND', 'There is no such user.');

export const conversationNotFound = (): GoChatError =>
  new GoChatError('CONVERSATION_NOT_FOUND', 'There is no such conversation.');

export const messageNotFound = (): GoChatError =>
  new GoChatError('MESSAGE_NOT_FOUND', 'There is no such message.');

export const friendRequestNotFound = (): GoChatError =>
  new GoChatError('REQUEST_NOT_FOUND', 'There is no such friend request.');
