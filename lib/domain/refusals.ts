import { GoChatError } from '../errors.ts';

/** The errors that more than one service answers, so that their messages are the same everywhere. */

/** The error of an invalid field. `message` states the rule and follows the field's name: `must not be empty`. */
export const invalid = (path: string, message: string): GoChatError =>
  new GoChatError('INVALID_ARGUMENT', `${path} ${message}.`, [{ path, message }]);

export const userNotFound = (): GoChatError => new GoChatError('USER_NOT_FOUND', 'There is no such user.');

export const conversationNotFound = (): GoChatError =>
  new GoChatError('CONVERSATION_NOT_FOUND', 'There is no such conversation.');

export const messageNotFound = (): GoChatError =>
  new GoChatError('MESSAGE_NOT_FOUND', 'There is no such message.');

export const friendRequestNotFound = (): GoChatError =>
  new GoChatError('REQUEST_NOT_FOUND', 'There is no such friend request.');
