import { readFileSync } from 'node:fs';

const titled = /\b(?:test|it|suite|describe)(?:\.\w+)?\(\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/g;
const holes = /\$\{[^}]*\}/;

/**
 * A pattern for the title of the test that a line of a file belongs to: the last one that begins at or before it.
 * Undefined where none does. What a template fills in may be anything.
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

/** As the title reads when the program runs. */
const unescaped = (source: string): string => source.replace(/\\(.)/g, '$1');

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
