import { arabic } from './arabic.ts';
import { chinese } from './chinese.ts';
import { english } from './english.ts';
import { hindi } from './hindi.ts';
import { japanese } from './japanese.ts';
import { korean } from './korean.ts';
import type { Language } from './language.ts';
import { russian } from './russian.ts';
import { spanish } from './spanish.ts';

export const languages = { english, chinese, spanish, japanese, russian, korean, arabic, hindi } as const;

export type LanguageName = keyof typeof languages;

export const languageOf = (name: LanguageName): Language => languages[name];
