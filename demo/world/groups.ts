import type { LanguageName } from '../languages/languages.ts';

export interface GroupTheme {
  name: string;
  description: string;
  announcement: string;
  languages: readonly LanguageName[];
  topics: readonly string[];
  /** How many members it has, as a share of all people. Those who speak its languages come first. */
  share: number;
  threads: number;
}

const everyLanguage: readonly LanguageName[] = [
  'english',
  'chinese',
  'spanish',
  'japanese',
  'russian',
  'korean',
  'arabic',
  'hindi',
];

/** What is said in the world room, which everybody is in. */
export const worldRoom = { languages: everyLanguage, topics: ['world'], threads: 34 };

export const groupThemes: readonly GroupTheme[] = [
  {
    name: 'Everyone, everywhere 🌍',
    description: 'One room for all of us. Write in the language you like.',
    announcement: 'Be kind, use threads for long discussions, and say hello when you are new.',
    languages: everyLanguage,
    topics: ['food', 'outdoors', 'sport', 'books', 'coffee', 'tea'],
    share: 1,
    threads: 92,
  },
  {
    name: 'Trail & Peak 🥾',
    description: 'Walks at the weekend, whatever the weather says.',
    announcement: 'Next walk: the ridge. Bring a head torch.',
    languages: ['english', 'spanish'],
    topics: ['outdoors'],
    share: 0.26,
    threads: 14,
  },
  {
    name: 'Platform team',
    description: 'Deploys, incidents, reviews.',
    announcement: 'On-call this week is in the calendar. Swaps: ask here.',
    languages: ['english'],
    topics: ['work'],
    share: 0.2,
    threads: 16,
  },
  {
    name: '周末羽毛球 🏸',
    description: '每个周末，一起流汗。',
    announcement: '场地费每人三十，请提前接龙。',
    languages: ['chinese'],
    topics: ['sport', 'food'],
    share: 0.18,
    threads: 14,
  },
  {
    name: 'Cocina sin prisa',
    description: 'Recetas, mercados y cenas largas.',
    announcement: 'La cena de este mes es en casa de todos.',
    languages: ['spanish'],
    topics: ['food'],
    share: 0.14,
    threads: 9,
  },
  {
    name: 'Книжный клуб',
    description: 'Одна книга в месяц и много чая.',
    announcement: 'Обсуждаем без спойлеров до встречи.',
    languages: ['russian'],
    topics: ['books'],
    share: 0.1,
    threads: 10,
  },
  {
    name: 'ランチ部 🍱',
    description: '今日のお昼を決める部屋です。',
    announcement: '集合は駅前です。',
    languages: ['japanese'],
    topics: ['food'],
    share: 0.1,
    threads: 8,
  },
  {
    name: '점심 모임',
    description: '오늘은 뭐 먹을까요?',
    announcement: '새로운 식당을 추천해 주세요.',
    languages: ['korean'],
    topics: ['food', 'world'],
    share: 0.08,
    threads: 7,
  },
  {
    name: 'قهوة الصباح',
    description: 'فنجان قهوة وحديث طويل',
    announcement: 'نلتقي كل صباح',
    languages: ['arabic'],
    topics: ['coffee'],
    share: 0.08,
    threads: 7,
  },
  {
    name: 'चाय पर चर्चा',
    description: 'चाय, क्रिकेट और बातें',
    announcement: 'इस हफ़्ते समोसे प्रिया लाएगी',
    languages: ['hindi'],
    topics: ['tea'],
    share: 0.08,
    threads: 7,
  },
  {
    name: 'Supper club',
    description: 'Somebody cooks, everybody eats.',
    announcement: 'Tell the cook what you do not eat.',
    languages: ['english'],
    topics: ['food'],
    share: 0.16,
    threads: 9,
  },
  {
    name: 'Flat 12',
    description: 'Rent, plumbers, milk.',
    announcement: 'The bins go out on Tuesday.',
    languages: ['english'],
    topics: ['home'],
    share: 0.06,
    threads: 8,
  },
];
