// Room: the domain of users, conversations and messages: limits, enumerations, checks of fields. Pure functions only:
// no I/O except for the list of common passwords, and no import from lib except for errors and generated types.

import { isLonger, limits } from './limits.ts';

/** Names that could be mistaken for operators or placeholders. Guests get generated names that begin with `guest-`. */
const reserved = new Set([
  'admin',
  'administrator',
  'system',
  'root',
  'support',
  'gochat',
  'deleted',
  'deleted-user',
]);

/**
 * True if a text may be a part of a username, and so may be searched for. Other texts must not reach SQL, since the
 * ASCII column treats some of them as a name: 'bob ' compares equal to 'bob'.
 */
export const isUsernamePart = (text: string): boolean =>
  text.length <= limits.username.longest && /^[A-Za-z0-9_.-]+$/.test(text);

export const isUsername = (text: string): boolean =>
  text.length >= limits.username.shortest && isUsernamePart(text);

/** The rule for usernames, worded to follow the field's name ("username must be …"). */
export const usernameRule = `must be ${limits.username.shortest} to ${limits.username.longest} letters, digits or any of _ . -`;

export const isReservedUsername = (username: string): boolean => {
  const name = username.toLowerCase();
  return reserved.has(name) || name.startsWith('guest-');
};

/** Control characters, line and paragraph separators, and characters that change the direction of the text. */
const forbidden = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
/**
 * A visible character. The excluded fillers are letters or symbols by their Unicode category, but are displayed
 * blank.
 */
const visible = /(?![\u115f\u1160\u2800\u3164\uffa0])[\p{L}\p{N}\p{P}\p{S}]/u;

/** The rule for names of persons and groups, worded to follow the field's name. */
export const nameRule = (longest: number): string =>
  `must be 1 to ${longest} characters, some of them visible, and no control characters`;

/**
 * The name of a person or group as it is stored: trimmed, with at least one visible character, and without characters
 * that change how the surrounding text is displayed. Undefined if the text is no valid name. `longest` is the maximum
 * length in Unicode code points.
 */
export function canonicalName(text: string, longest: number): string | undefined {
  const name = text.trim();
  // The length is checked first: the other checks would cost a text of a megabyte many milliseconds.
  if (isLonger(name, longest) || !name.isWellFormed() || !visible.test(name)) return undefined;
  return forbidden.test(text) ? undefined : name;
}
