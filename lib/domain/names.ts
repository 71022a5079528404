// Room: what users, conversations and messages are: limits, enumerations, checks of fields. Pure: no I/O and no
// other room of lib.

import { isLonger, limits } from './limits.ts';

/** Names that others would take for somebody they are not. The names of guests are made. */
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
 * Whether a text may be part of a username, and so can be looked for. It keeps other texts away from SQL, where the ASCII
 * column would take some of them for a name: 'bob ' compares equal to 'bob'.
 */
export const isUsernamePart = (text: string): boolean =>
  text.length <= limits.username.longest && /^[A-Za-z0-9_.-]+$/.test(text);

export const isUsername = (text: string): boolean =>
  text.length >= limits.username.shortest && isUsernamePart(text);

/** What a username must be, as a predicate of the field. */
export const usernameRule = `must be ${limits.username.shortest} to ${limits.username.longest} letters, digits or any of _ . -`;

export const isReservedUsername = (username: string): boolean => {
  const name = username.toLowerCase();
  return reserved.has(name) || name.startsWith('guest-');
};

/** Control characters, line and paragraph separators, and what turns the direction of the text around it. */
const forbidden = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
/** Something that can be seen. The fillers are letters and a sign by their category, and are blank. */
const visible = /(?![\u115f\u1160\u2800\u3164\uffa0])[\p{L}\p{N}\p{P}\p{S}]/u;

/** What the name of a person or group must be, as a predicate of the field. */
export const nameRule = (longest: number): string =>
  `must be 1 to ${longest} characters, some of them visible, and no control characters`;

/**
 * The name of a person or group as it is stored: trimmed, with something to see in it, and nothing that changes what is
 * written beside it. Undefined for what is no such name. Lengths count Unicode code points.
 */
export function canonicalName(text: string, longest: number): string | undefined {
  if (!text.isWellFormed() || forbidden.test(text) || !visible.test(text)) return undefined;
  const name = text.trim();
  return isLonger(name, longest) ? undefined : name;
}
