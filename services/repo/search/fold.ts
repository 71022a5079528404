/** A text without differences of case, width and composition, and where each part of it comes from. */
export type Folded = {
  text: string;
  /** The range of the original text, in UTF-16 units, that a non-empty range of `text` comes from. */
  origin(start: number, end: number): { start: number; end: number };
};

/** What is folded as one: a character with the marks after it, or the vowel and end of a Korean syllable. */
const units = /.[\p{M}\uFF9E\uFF9F\u1160-\u11FF\uFFC2-\uFFDC]*/gsu;
/**
 * Characters without a look of their own: soft hyphens, spaces without a width, joiners, and the selectors of a variant of the
 * character before. A word with and without them is the same.
 */
const invisible = /\u00AD|[\u200B-\u200D]|\u2060|\uFEFF|[\uFE00-\uFE0F]|[\u{E0100}-\u{E01EF}]/gu;
const isAscii = (text: string): boolean => /^[\0-\x7F]*$/.test(text);

/**
 * Folds a text as both messages and queries are folded before they are compared. Each unit is folded by itself, so that
 * a place in the result has one in the original, and a part of a text is folded as within the text.
 */
export const foldText = (text: string): string =>
  isAscii(text) ? text.toLowerCase() : text.replace(units, foldUnit);

/** Like `foldText`, with the origins. */
export function fold(text: string): Folded {
  if (isAscii(text)) return { text: text.toLowerCase(), origin: (start, end) => ({ start, end }) };
  let folded = '';
  const starts: number[] = [];
  const ends: number[] = [];
  for (const { 0: unit, index } of text.matchAll(units)) {
    const part = foldUnit(unit);
    folded += part;
    for (let at = 0; at < part.length; at += 1) {
      starts.push(index);
      ends.push(index + unit.length);
    }
  }
  return {
    text: folded,
    origin: (start, end) => ({ start: starts[start] ?? 0, end: ends[end - 1] ?? 0 }),
  };
}

function foldUnit(unit: string): string {
  const code = unit.charCodeAt(0);
  if (unit.length === 1 && (isCaseless(code) || code < 0x80)) return unit.toLowerCase();
  // To upper case and back: so that ß is ss, and both forms of the Greek sigma are one.
  const cased = unit.replace(invisible, '').normalize('NFKC').toUpperCase().toLowerCase();
  // The lower case of İ has a dot of its own.
  return cased.normalize('NFKC').replaceAll('i\u0307', 'i').replaceAll('ς', 'σ');
}

/** Common Chinese, Japanese and Korean characters, which are folded already. */
const isCaseless = (code: number): boolean =>
  (code >= 0x4e00 && code <= 0x9fff) ||
  (code >= 0x3041 && code <= 0x30fe) ||
  (code >= 0xac00 && code <= 0xd7a3);
