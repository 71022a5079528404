// Room: what people of the demo world are called and what they say, a file per language. Only words: who says them when is
// decided in world.

/** A language as people of the demo world use it. Every line of a dialogue begins with the letter of its speaker. */
export interface Language {
  /** Given and family names, each in the language's own script and in Latin letters. */
  readonly given: readonly Name[];
  readonly family: readonly Name[];
  /** How a full name is written. */
  readonly fullName: (given: string, family: string) => string;
  /** What may stand for `{place}`, `{day}`, … in a dialogue. */
  readonly words: Readonly<Record<string, readonly string[]>>;
  readonly dialogues: readonly Dialogue[];
}

export type Name = readonly [own: string, latin: string];

export interface Dialogue {
  readonly topic: string;
  readonly lines: readonly Line[];
}

export interface Line {
  /** 0 for A, 1 for B, … */
  readonly speaker: number;
  readonly text: string;
  /** The line of the same dialogue that this one answers, from 0. */
  readonly replyTo?: number;
}

/** Names written as `Mei/mei 伟/wei`. A name that is in Latin letters anyway stands for itself. */
export const names = (text: string): Name[] =>
  text
    .trim()
    .split(/\s+/)
    .map((word) => {
      const [own = '', latin = own] = word.split('/');
      return [own.replaceAll('_', ' '), asLatin(latin)];
    });

const asLatin = (name: string): string =>
  name
    .normalize('NFD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase();

/** The words of one kind, separated by `|`. */
export const words = (text: string): string[] => text.split('|').map((word) => word.trim());

/**
 * Dialogues as text: `# topic` begins a topic, an empty line ends a dialogue, `B: Hello` is a line, and `B>1: Hello` is
 * one that answers the first line.
 */
export function dialogues(text: string): Dialogue[] {
  let topic = '';
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((block) => {
      const rows = block.split('\n').map((row) => row.trim());
      const [heading = ''] = rows;
      if (heading.startsWith('# ')) topic = rows.shift()?.slice(2) ?? '';
      return { topic, lines: rows.map(lineOf) };
    });
}

function lineOf(row: string): Line {
  const [, speaker = '', answered, text] = /^([A-E])(?:>(\d+))?: (.+)$/.exec(row) ?? [];
  if (text === undefined) throw new Error(`this is no line of a dialogue: ${row}`);
  return {
    speaker: speaker.charCodeAt(0) - 65,
    text,
    ...(answered === undefined ? {} : { replyTo: Number(answered) - 1 }),
  };
}
