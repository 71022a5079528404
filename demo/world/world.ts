import { createRandom, type Random } from '../../bench/measure/random.ts';
import { groupThemes, worldRoom } from './groups.ts';
import { createPeople, type Person } from './people.ts';
import { createTalk, type PlannedMessage } from './threads.ts';

export interface World {
  seed: number;
  people: Person[];
  /** Pairs that are friends, each with its conversation. */
  chats: Chat[];
  /** Friend requests that wait for an answer. */
  requests: { from: number; to: number; text: string }[];
  groups: Group[];
  worldRoom: History;
}

/** What was said, and what became of it. */
export interface History {
  messages: PlannedMessage[];
  reactions: { seqId: number; person: number; emoji: string }[];
  /** How far each has read, by person. */
  reads: Map<number, number>;
  /** The seqId of a pinned message. */
  pinned: number | undefined;
}

export interface Chat extends History {
  pair: readonly [number, number];
}

export interface Group extends History {
  name: string;
  description: string;
  announcement: string;
  owner: number;
  admins: number[];
  /** Without the owner. */
  members: number[];
  muted: number | undefined;
}

const days = 75;
const emoji = ['👍', '❤️', '😂', '🎉', '🙏', '😮', '🔥', '👏'];
/** The people whose sign-ins are shown: they have more friends than others, and requests to answer. */
export const shownPeople = 5;
const requestTexts = [
  'Hi, we met on the ridge walk!',
  'Found you in the big room 👋',
  'Hola, soy de la clase de cocina',
];

/** The world of a seed: the same people, conversations and words every time. */
export function createWorld({ users, seed }: { users: number; seed: number }): World {
  const random = createRandom(seed);
  const people = createPeople(users, seed, random);
  const everybody = people.map((_, index) => index);
  const pairs = friendships(people, random);
  const chats = pairs.map((pair) => chatOf(pair, people, random));
  const groups = groupThemes.map((theme) => groupOf(theme, people, random));
  const talk = { ...worldRoom, members: everybody, days };
  return {
    seed,
    people,
    chats,
    requests: requestsOf(pairs, users, random),
    groups,
    worldRoom: historyOf(createTalk(talk, people, random), everybody, random, { reacts: 0.1, pins: false }),
  };
}

/** Those in which nobody has talked for long come first. */
export const byQuiet = (a: History, b: History): number => ageOf(b) - ageOf(a);
const ageOf = ({ messages }: History): number => messages.at(-1)?.age ?? Number.POSITIVE_INFINITY;

/** Each has some friends, mostly of the own language; the shown people have more. */
function friendships(people: readonly Person[], random: Random): [number, number][] {
  const pairs = new Map<string, [number, number]>();
  for (const [index, { language }] of people.entries()) {
    const others = people.map((_, other) => other).filter((other) => other !== index);
    const alike = others.filter((other) => people[other]?.language === language);
    const [near, far] = index < shownPeople ? [3, 3] : [random.next() < 0.35 ? 1 : 0, 0];
    const chosen = [...random.shuffled(alike).slice(0, near), ...random.shuffled(others).slice(0, far)];
    for (const other of chosen) {
      const pair: [number, number] = index < other ? [index, other] : [other, index];
      pairs.set(pair.join(), pair);
    }
  }
  return [...pairs.values()];
}

function chatOf(pair: readonly [number, number], people: readonly Person[], random: Random): Chat {
  const [a, b] = pair;
  const [one, other] = [people[a]?.language ?? 'english', people[b]?.language ?? 'english'];
  const language = one === other ? one : 'english';
  const threads = random.between(1, 6);
  const talk = {
    members: pair,
    languages: [language],
    topics: ['friends'],
    threads,
    days: random.between(3, days),
  };
  return {
    pair,
    ...historyOf(createTalk(talk, people, random), pair, random, { reacts: 0.08, pins: false }),
  };
}

function groupOf(theme: (typeof groupThemes)[number], people: readonly Person[], random: Random): Group {
  const { name, description, announcement, languages, topics, threads, share } = theme;
  const speaks = (index: number) => languages.some((language) => people[index]?.language === language);
  const mixed = random.shuffled(people.map((_, index) => index));
  const size = Math.max(3, Math.round(share * people.length));
  const all = [...mixed.filter(speaks), ...mixed.filter((index) => !speaks(index))].slice(0, size);
  const [owner = 0, ...members] = all;
  const messages = createTalk({ members: all, languages, topics, threads, days }, people, random);
  return {
    name,
    description,
    announcement,
    owner,
    admins: members.slice(0, Math.min(2, members.length - 1)),
    members,
    muted: members.length > 20 ? members.at(-1) : undefined,
    ...historyOf(messages, all, random, { reacts: 0.18, pins: true }),
  };
}

function historyOf(
  messages: PlannedMessage[],
  members: readonly number[],
  random: Random,
  { reacts, pins }: { reacts: number; pins: boolean },
): History {
  const reactions = messages.flatMap(({ sender }, index) => {
    if (random.next() >= reacts) return [];
    const others = members.filter((member) => member !== sender);
    const chosen = random.shuffled(others).slice(0, random.between(1, 3));
    return chosen.map((person) => ({ seqId: index + 1, person, emoji: random.pick(emoji) }));
  });
  const last = messages.length;
  const lastSender = messages.at(-1)?.sender;
  const readOf = (member: number) =>
    member === lastSender || random.next() < 0.75 ? last : Math.max(0, last - random.between(1, 9));
  const reads = new Map(members.map((member) => [member, readOf(member)]));
  return { messages, reactions, reads, pinned: pins ? random.between(1, last) : undefined };
}

/** Requests to the shown people from those who are not their friends. */
function requestsOf(pairs: readonly [number, number][], users: number, random: Random): World['requests'] {
  const known = new Set(pairs.map((pair) => pair.join()));
  const strangers = (to: number) =>
    Array.from({ length: users }, (_, index) => index).filter(
      (from) => from >= shownPeople && from !== to && !known.has([to, from].join()),
    );
  return Array.from({ length: Math.min(3, users) }, (_, to) =>
    random
      .shuffled(strangers(to))
      .slice(0, 2)
      .map((from) => ({ from, to, text: random.pick(requestTexts) })),
  ).flat();
}
