import { limits } from '../../../../lib/domain/limits.ts';

/** A character that does not control, does not end a line and does not change the direction of text. */
const harmless = '[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]';
const visible = '(?![\\u115f\\u1160\\u2800\\u3164\\uffa0])[\\p{L}\\p{N}\\p{P}\\p{S}]';
const blank = '[ \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000\\ufeff]';

/** The pattern of a name of up to `longest` characters. Blanks around the name do not count. */
const name = (longest: number) => `^(?=.*${visible})${blank}*${harmless}{1,${longest}}${blank}*$`;

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const lastLabel = '[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const byte = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const host = `(?:(?:${label}\\.){0,3}${lastLabel}|(?:${byte}\\.){3}${byte})`;
const port = '(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?';
const characters = "(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*";
const path = `(?:/${characters})?(?:\\?${characters})?(?:#${characters})?`;

/**
 * The checks of validation/formats.ts as standard keywords of JSON Schema. Some checks, such as those of URLs and language
 * tags, cannot be written as a pattern: theirs covers the usual values, and the check accepts every value that fits it.
 */
const keywords: Record<string, object> = {
  text: {},
  username: { pattern: `^[A-Za-z0-9_.-]{${limits.username.shortest},${limits.username.longest}}$` },
  'display-name': { pattern: name(limits.displayName) },
  'group-name': { pattern: name(limits.groupName) },
  'client-msg-id': { minLength: 1, maxLength: limits.clientMsgIdBytes },
  'picture-address': { pattern: `^(?:[Hh][Tt][Tt][Pp][Ss]?://${host}${port}${path})?$` },
  'language-tag': {
    pattern: '^(?:(?:[A-Za-z]{2,3}|[A-Za-z]{5,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?)?$',
  },
};

/** Copies a document, and replaces GoChat's own formats by standard keywords with the same meaning. */
export function describeFormats<T>(node: T): T;
export function describeFormats(node: unknown): unknown {
  if (Array.isArray(node)) return node.map((part) => describeFormats(part));
  if (node === null || typeof node !== 'object') return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, part]) => [key, describeFormats(part)]));
  const { format, ...rest } = copy;
  const known = typeof format === 'string' ? keywords[format] : undefined;
  return known === undefined ? copy : { ...rest, ...known };
}
