// Room: who the people of the demo world are, what they have in common and what they have said. Nothing here knows a server:
// the same seed gives the same world.

import { createHash } from 'node:crypto';
import type { Random } from '../../bench/measure/random.ts';
import type { Name } from '../languages/language.ts';
import { type LanguageName, languageOf, languages } from '../languages/languages.ts';

export interface Person {
  username: string;
  password: string;
  displayName: string;
  language: LanguageName;
}

/** The languages of every sixteen people. */
const mix: readonly LanguageName[] = [
  'english',
  'chinese',
  'spanish',
  'english',
  'japanese',
  'russian',
  'english',
  'chinese',
  'korean',
  'english',
  'arabic',
  'spanish',
  'english',
  'hindi',
  'chinese',
  'english',
];

/** More people would share their names. */
export const mostPeople = 500;

export function createPeople(count: number, seed: number, random: Random): Person[] {
  const naming = new Map(
    Object.entries(languages).map(([name, { given, family }]) => [
      name,
      createNaming(random.shuffled(given), random.shuffled(family)),
    ]),
  );
  return Array.from({ length: count }, (_, index) => {
    const language = mix[index % mix.length] ?? 'english';
    const [given, family] = naming.get(language)?.next().value ?? [];
    if (!given || !family) throw new Error(`there are no more names in ${language}`);
    const username = [given[1], family[1], ...(seed === 1 ? [] : [seed])].join('.');
    return {
      username,
      password: passwordOf(seed, username),
      displayName: languageOf(language).fullName(given[0], family[0]),
      language,
    };
  });
}

/** Every given name once, then every one with another family name, and so on. */
function* createNaming(given: readonly Name[], family: readonly Name[]): Generator<[Name, Name], undefined> {
  for (let round = 0; round < family.length; round += 1) {
    for (const [index, name] of given.entries()) {
      const other = family[(index + round) % family.length];
      if (other) yield [name, other];
    }
  }
  return undefined;
}

/** Anybody who knows the seed knows it: the world is for looking at, and has nothing to protect. */
const passwordOf = (seed: number, username: string): string =>
  `demo-${createHash('sha256').update(`${seed} ${username}`).digest('hex').slice(0, 10)}`;
