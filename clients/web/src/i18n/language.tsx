// Room: the texts of the client in each language, and times as the language writes them. No component of a screen belongs
// here.

import { createContext, type ReactNode, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import { en, type Texts } from './en.ts';
import { createTimes, type Times } from './times.ts';
import { zh } from './zh.ts';

export type LanguageName = 'en' | 'zh';
export const languages: Record<LanguageName, { texts: Texts; label: string }> = {
  en: { texts: en, label: 'English' },
  zh: { texts: zh, label: '中文' },
};

interface Language {
  readonly name: LanguageName;
  readonly t: Texts;
  readonly times: Times;
  /** "Ann, Bob and Chen" */
  readonly list: (names: readonly string[]) => string;
}

/** The language that was chosen, or the first one of the browser that the client speaks. */
function languageFor(chosen: LanguageName | 'system'): Language {
  const wanted = chosen === 'system' ? navigator.languages : [chosen, ...navigator.languages];
  const tag = wanted.find((one) => nameOf(one) !== undefined) ?? 'en';
  const name = nameOf(tag) ?? 'en';
  // Times keep the region that the browser gives: 24 hours in en-GB, 12 in en-US.
  const locale = navigator.languages.find((one) => nameOf(one) === name) ?? tag;
  const joined = new Intl.ListFormat(locale, { type: 'conjunction' });
  return {
    name,
    t: languages[name].texts,
    times: createTimes(locale),
    list: (names) => joined.format(names),
  };
}

function nameOf(tag: string): LanguageName | undefined {
  const [language] = tag.toLowerCase().split('-');
  return language === 'en' || language === 'zh' ? language : undefined;
}

const Context = createContext<Language | undefined>(undefined);

export function LanguageProvider({
  chosen,
  children,
}: {
  chosen: LanguageName | 'system';
  children: ReactNode;
}) {
  const day = useSyncExternalStore(subscribeToDays, today, today);
  // biome-ignore lint/correctness/useExhaustiveDependencies: at midnight "today" becomes "yesterday" everywhere.
  const language = useMemo(() => languageFor(chosen), [chosen, day]);
  useEffect(() => {
    document.documentElement.lang = language.name === 'zh' ? 'zh-CN' : 'en';
  }, [language.name]);
  return <Context value={language}>{children}</Context>;
}

export function useLanguage(): Language {
  const language = useContext(Context);
  if (!language) throw new Error('useLanguage is used outside of a LanguageProvider.');
  return language;
}

const today = () => new Date().toDateString();

function subscribeToDays(onChange: () => void): () => void {
  const timer = setInterval(onChange, 30_000);
  return () => clearInterval(timer);
}
