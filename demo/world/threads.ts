import type { Random } from '../../bench/measure/random.ts';
import type { Dialogue } from '../languages/language.ts';
import { type LanguageName, languageOf } from '../languages/languages.ts';
import { fileAfter, type PlannedFile } from './files.ts';
import type { Person } from './people.ts';

export interface PlannedMessage {
  /** The index of the sender in the world. */
  sender: number;
  /** What is said; the name of the file, if the message is one. */
  text: string;
  file?: PlannedFile;
  /** The seqId of the message that this one answers. */
  replyTo?: number;
  mentions?: number[];
  /** Milliseconds before the world was made. */
  age: number;
}

export interface Talk {
  /** Indexes of those who talk. */
  members: readonly number[];
  languages: readonly LanguageName[];
  topics: readonly string[];
  threads: number;
  days: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A conversation of months: dialogues between its members, the more the closer to the present. */
export function createTalk(talk: Talk, people: readonly Person[], random: Random): PlannedMessage[] {
  const messages: PlannedMessage[] = [];
  const next = createChoice(talk, random);
  let ended = Number.POSITIVE_INFINITY;
  for (const [thread, start] of startsOf(talk, random).entries()) {
    let age = Math.min(start, ended - random.between(10, 90) * minute);
    const before = messages.length;
    const { language, dialogue } = next();
    const speakers = speakersOf(talk.members, language, people, random);
    const fill = createFilling(language, random);
    for (const line of dialogue.lines) {
      const sender = speakers[line.speaker % speakers.length] ?? 0;
      const answered = line.replyTo === undefined ? undefined : messages[before + line.replyTo];
      const mentioned = answered && speakers.length > 2 && random.next() < 0.5 ? answered.sender : undefined;
      const name = mentioned === undefined ? '' : `@${people[mentioned]?.displayName} `;
      messages.push({
        sender,
        text: name + fill(line.text),
        ...(line.replyTo === undefined ? {} : { replyTo: before + line.replyTo + 1 }),
        ...(mentioned === undefined ? {} : { mentions: [mentioned] }),
        age,
      });
      age -= random.between(15, 240) * second;
    }
    const said = messages.slice(before).map(({ text }) => text);
    const file = fileAfter(thread, said, random);
    if (file) {
      messages.push({ sender: speakers[0] ?? 0, text: file.name, file, age });
      age -= random.between(15, 240) * second;
    }
    ended = age;
  }
  return inThePast(messages);
}

/** When dialogues begin, as ages: the first one at the beginning, the others in waking hours. */
function startsOf({ threads, days }: Talk, random: Random): number[] {
  const others = Array.from({ length: threads - 1 }, () => {
    const daysAgo = Math.floor(days * random.next() ** 1.6);
    return daysAgo * day + random.between(1, 14 * 60) * minute;
  });
  return [days * day, ...others.sort((a, b) => b - a)];
}

/** Dialogues pushed on by earlier ones must not reach the future. */
function inThePast(messages: PlannedMessage[]): PlannedMessage[] {
  let youngest = 2 * minute;
  for (const message of messages.toReversed()) {
    message.age = Math.max(message.age, youngest);
    youngest = message.age + second;
  }
  return messages;
}

/** Takes every dialogue about the topics once, in random order, before one comes again. */
function createChoice({ languages, topics }: Talk, random: Random) {
  const all = languages.flatMap((language) =>
    languageOf(language)
      .dialogues.filter(({ topic }) => topics.includes(topic))
      .map((dialogue) => ({ language, dialogue })),
  );
  let rest: { language: LanguageName; dialogue: Dialogue }[] = [];
  return () => {
    if (rest.length === 0) rest = random.shuffled(all);
    return rest.pop() ?? random.pick(all);
  };
}

/** Those who speak the language first. */
function speakersOf(
  members: readonly number[],
  language: LanguageName,
  people: readonly Person[],
  random: Random,
): number[] {
  const speaks = (index: number) => people[index]?.language === language;
  const mixed = random.shuffled(members);
  return [...mixed.filter(speaks), ...mixed.filter((index) => !speaks(index))];
}

/** Puts words into the gaps of a dialogue: the same word for the same gap. */
function createFilling(language: LanguageName, random: Random): (text: string) => string {
  const chosen = new Map<string, string>();
  return (text) =>
    text.replaceAll(/\{(\w+)\}/g, (_, kind: string) => {
      const word = chosen.get(kind) ?? random.pick(languageOf(language).words[kind] ?? []);
      chosen.set(kind, word);
      return word;
    });
}
