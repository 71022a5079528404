import { readFileSync } from 'node:fs';

const titled = /\b(?:test|it|suite|describe)(?:\.\w+)?\(\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/g;
const holes = /\$\{[^}]*\}/;

/**
 * A pattern for the title of the test at a line of a file: the last test that begins at or before the line; undefined
 * if there is none. The placeholders of a template title match any text.
 */
export function titlePatternAt(file: string, line: number): string | undefined {
  const text = readFileSync(file, 'utf8');
  const end = text.split('\n').slice(0, line).join('\n').length;
  const last = [...text.matchAll(titled)].filter(({ index }) => index < end).at(-1);
  if (last === undefined) return undefined;
  const [, plain, template = ''] = last;
  const parts = plain === undefined ? template.split(holes) : [plain];
  return `^${parts.map((part) => escaped(unescaped(part))).join('.*')}$`;
}

/** The value of the title's string literal. */
const unescaped = (source: string): string => source.replace(/\\(.)/g, '$1');

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
