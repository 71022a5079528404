/**
 * Ids of users, conversations, messages and friend requests. In SQL and in JavaScript they are whole numbers above 0 that a
 * double holds exactly; on the wire, but for messages, the same number as a text. Clients take them as opaque.
 */

/** The conversation that everybody is a member of. It is there from the first migration on. */
export const worldRoomId = 1;

/** The number that an id on the wire stands for; undefined for a text that can be no id, and so names nothing. */
export function parseId(text: string): number | undefined {
  if (!/^[1-9]\d{0,15}$/.test(text)) return undefined;
  const id = Number(text);
  return isIdNumber(id) ? id : undefined;
}

export const isId = (text: string): boolean => parseId(text) !== undefined;

/** Whether a value is a number that can be an id, or a seq id. */
export const isIdNumber = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0;

/** Two user ids as "low:high", by number: the same for both directions. */
export const pairKey = (a: string, b: string): string => (BigInt(a) < BigInt(b) ? `${a}:${b}` : `${b}:${a}`);
