import { fold, foldText } from './fold.ts';
import { type Run, runsOf, termsOfRun } from './terms.ts';

/** What a message must contain. `isPrefix`: a word of it may go on. */
type Needle = { kind: Run['kind']; text: string; isPrefix: boolean };

/** What somebody searches for. */
export type Query = {
  needles: readonly Needle[];
  /** Terms that every hit has. */
  terms: readonly string[];
  /** Every hit has a term that begins with this. */
  termPrefix: string | undefined;
};

/** Start and length in UTF-16 units. */
export type Highlight = [start: number, length: number];

const maxHighlights = 100;

/**
 * Reads what somebody typed: every word must occur, and the last one may be the beginning of a word, since it may not be
 * typed to its end. Undefined if nothing is to be found: only signs, or only single characters of scripts without spaces.
 */
export function parseQuery(text: string): Query | undefined {
  const runs = runsOf(foldText(text));
  const last = runs.at(-1);
  const needles = new Map<string, Needle>();
  const terms = new Set<string>();
  let termPrefix: string | undefined;
  for (const run of runs) {
    const isPrefix = run === last && run.kind === 'word';
    needles.set(`${run.text}${isPrefix ? '*' : ''}`, { kind: run.kind, text: run.text, isPrefix });
    for (const term of termsOfRun(run)) {
      if (isPrefix) termPrefix = term;
      else terms.add(term);
    }
  }
  if (terms.size === 0 && termPrefix === undefined) return undefined;
  return { needles: [...needles.values()], terms: [...terms], termPrefix };
}

/**
 * Where a text contains all that the query asks for: the ranges of the original text, in order and apart. Undefined if
 * something is missing.
 */
export function match(query: Query, text: string): Highlight[] | undefined {
  const folded = fold(text);
  const words = runsOf(folded.text).filter(({ kind }) => kind === 'word');
  const ranges: { start: number; end: number }[] = [];
  for (const needle of query.needles) {
    const found = needle.kind === 'word' ? wordsLike(words, needle) : partsLike(folded.text, needle.text);
    if (found.length === 0) return undefined;
    ranges.push(...found.map(({ start, end }) => folded.origin(start, end)));
  }
  return joined(ranges).slice(0, maxHighlights);
}

function wordsLike(words: readonly Run[], { text, isPrefix }: Needle): { start: number; end: number }[] {
  return words
    .filter((word) => (isPrefix ? word.text.startsWith(text) : word.text === text))
    .map(({ start }) => ({ start, end: start + text.length }));
}

function partsLike(text: string, part: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (
    let at = text.indexOf(part);
    at >= 0 && found.length < maxHighlights;
    at = text.indexOf(part, at + part.length)
  )
    found.push({ start: at, end: at + part.length });
  return found;
}

function joined(ranges: { start: number; end: number }[]): Highlight[] {
  const result: Highlight[] = [];
  for (const { start, end } of ranges.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const before = result.at(-1);
    if (before && start <= before[0] + before[1]) before[1] = Math.max(before[1], end - before[0]);
    else result.push([start, end - start]);
  }
  return result;
}
