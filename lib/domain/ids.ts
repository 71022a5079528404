/**
 * Ids of users, conversations, messages and friend requests. In SQL and in JavaScript they are positive safe
 * integers. On the wire, they are decimal strings, except for message ids, which are numbers. Clients must treat them
 * as opaque.
 */

/** The conversation of which every user is a member. The first migration creates it. */
export const worldRoomId = 1;

/** Converts an id on the wire to a number; undefined if the text is no possible id. */
export function parseId(text: string): number | undefined {
  if (!/^[1-9]\d{0,15}$/.test(text)) return undefined;
  const id = Number(text);
  return isIdNumber(id) ? id : undefined;
}

export const isId = (text: string): boolean => parseId(text) !== undefined;

/** True if a value is a number that may be an id or a seq id. */
export const isIdNumber = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0;

/** The key of two users: "low:high", compared as numbers. It is the same for (a, b) and (b, a). */
export const pairKey = (a: string, b: string): string => (BigInt(a) < BigInt(b) ? `${a}:${b}` : `${b}:${a}`);
