// Room: emoji, their names and the dialog to choose one. It knows nothing of messages.

import type { LanguageName } from '../i18n/language.tsx';

export interface Emoji {
  /** The emoji itself. */
  emoji: string;
  /** What it shows, in the language of the user. */
  label: string;
  /** What it is found by: label and tags in small letters. */
  words: string;
  /** The name between colons, such as `thumbsup`. */
  names: readonly string[];
  group: number;
}

interface Row {
  hexcode: string;
  unicode: string;
  label: string;
  tags?: string[];
  group?: number;
  order?: number;
}

const loading = new Map<LanguageName, Promise<readonly Emoji[]>>();

/** All emoji in their usual order. Their names come with the first call, from this gateway. */
export function loadEmoji(language: LanguageName): Promise<readonly Emoji[]> {
  const begun = loading.get(language) ?? load(language);
  loading.set(language, begun);
  begun.catch(() => loading.delete(language));
  return begun;
}

async function load(language: LanguageName): Promise<readonly Emoji[]> {
  const [{ default: rows }, { default: names }] = await Promise.all([
    language === 'zh' ? import('emojibase-data/zh/compact.json') : import('emojibase-data/en/compact.json'),
    import('emojibase-data/en/shortcodes/github.json'),
  ]);
  const namesByCode = names as Record<string, string | string[]>;
  return (rows as Row[])
    .filter(({ group }) => group !== undefined && group !== componentGroup)
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map(({ hexcode, unicode, label, tags = [], group = 0 }) => ({
      emoji: withoutNeedless(unicode),
      label,
      words: [label, ...tags].join(' ').toLocaleLowerCase(),
      names: [namesByCode[hexcode] ?? []].flat(),
      group,
    }));
}

/**
 * The sign that asks for colours (FE0F) says nothing behind what is coloured anyway; with it the same emoji would be two
 * texts.
 */
const withoutNeedless = (emoji: string): string => emoji.replace(/(\p{Emoji_Presentation})\uFE0F/gu, '$1');

/** Skin tones and hair, which are no emoji by themselves. */
const componentGroup = 2;

/** Those whose name or label fits, the best first. */
export function findEmoji(all: readonly Emoji[], query: string, most: number): readonly Emoji[] {
  const wanted = query.toLocaleLowerCase();
  const begins: Emoji[] = [];
  const holds: Emoji[] = [];
  for (const one of all) {
    if (one.names.some((name) => name.startsWith(wanted))) begins.push(one);
    else if (one.words.includes(wanted)) holds.push(one);
  }
  return [...begins, ...holds].slice(0, most);
}
