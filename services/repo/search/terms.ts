import { foldText } from './fold.ts';

/** A part of a folded text: a word, or a run of characters of a script that puts no spaces between words. */
export type Run = { kind: 'word' | 'unspaced'; text: string; start: number };

/** The most bytes of a term. Longer words are cut; a hit is compared with the whole word later. */
export const maxTermBytes = 32;

const unspaced =
  '[[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Hang}\\p{scx=Bopo}\\p{scx=Thai}]&&[\\p{L}\\p{M}\\p{N}]]';
const letter = `[[\\p{L}\\p{N}]--${unspaced}]`;
const inWord = `[[\\p{L}\\p{N}\\p{M}]--${unspaced}]`;
const runs = new RegExp(`(${unspaced}+)|${letter}${inWord}*`, 'gv');
const simpleWords = /[a-z0-9]+/g;
const isSimple = (folded: string): boolean => /^[\0-\x7F]*$/.test(folded);

/** The runs of a folded text, in their order. Signs and spaces separate them. */
export function runsOf(folded: string): Run[] {
  if (isSimple(folded)) {
    return Array.from(folded.matchAll(simpleWords), ({ 0: text, index }) => ({
      kind: 'word',
      text,
      start: index,
    }));
  }
  return Array.from(folded.matchAll(runs), ({ 0: text, 1: isUnspaced, index }) => ({
    kind: isUnspaced === undefined ? 'word' : 'unspaced',
    text,
    start: index,
  }));
}

/** The terms by which a run is found: the word, or each two neighbouring characters. A single character has none. */
export function termsOfRun({ kind, text }: Pick<Run, 'kind' | 'text'>): string[] {
  if (kind === 'word') return [cutTerm(text)];
  const characters = Array.from(text);
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

/** All terms of a text, each once. */
export function termsOf(text: string): Set<string> {
  const terms = new Set<string>();
  for (const run of runsOf(foldText(text))) for (const term of termsOfRun(run)) terms.add(term);
  return terms;
}

/** The longest beginning of a word that fits into a term. */
function cutTerm(word: string): string {
  // A UTF-16 unit has at most three bytes.
  if (word.length * 3 <= maxTermBytes || Buffer.byteLength(word) <= maxTermBytes) return word;
  let bytes = 0;
  let cut = '';
  for (const character of word) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxTermBytes) break;
    cut += character;
  }
  return cut;
}
