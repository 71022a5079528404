import type { Scenario } from '../laboratory/laboratory.ts';
import type { RestCall } from '../load/commands.ts';
import { restStep } from '../steps/steps.ts';
import { seedsOf } from './growth.ts';
import { expectAnswers, loadRest } from './rest-load.ts';

const members = 8;
const conversations = 300;
const callers = 4;

/** What is searched for, by how it occurs; `turn` varies it. */
const kinds: [label: string, queryOf: (turn: number) => string][] = [
  ['a common word', (turn) => `w${1 + (turn % 5)}`],
  ['two common words', (turn) => `w${1 + (turn % 5)} w${6 + (turn % 5)}`],
  ['a rare word', (turn) => `w${5000 + ((turn * 7919) % 4000)}`],
  ['two rare words', (turn) => `w${2000 + ((turn * 7919) % 400)} w${3000 + ((turn * 104_729) % 400)}`],
  ['the beginning of many words', () => 'w'],
  ['a word that nobody wrote', (turn) => `nothing${turn}`],
];

/** Searches among the messages of users with many conversations: the newest hits, one page. */
export const search: Scenario = {
  name: 'search',
  title: 'Search',
  run: (laboratory, report) =>
    laboratory.withLoad(1, async (load) => {
      const seeds = seedsOf(laboratory);
      if (!seeds) return;
      const { searchMessages, seconds } = laboratory.options;
      const each = Math.ceil(searchMessages / conversations);
      const key = `search among ${each * conversations} messages`;
      const crew = await laboratory.accounts.crew(key, members, async (fresh) => {
        laboratory.say(`Writing ${each * conversations} messages and their words`);
        const memberIds = fresh.map(({ userId }) => userId);
        await seeds.library(key, memberIds, conversations, each);
      });
      for (const [kind, queryOf] of kinds) {
        const calls = crew.flatMap(({ accessToken }, member) =>
          Array.from({ length: 100 }, (_, turn): RestCall => {
            const path = `/search/messages?q=${encodeURIComponent(queryOf(member * 100 + turn))}&limit=20`;
            return { method: 'GET', path, accessToken };
          }),
        );
        const label = `${kind}, among ${(each * conversations).toLocaleString('en-GB')} messages, ${callers} callers`;
        const measured = await loadRest(laboratory, load, { calls, seconds, connections: callers });
        report.step(restStep(label, measured));
        expectAnswers(report, label, measured.value);
      }
    }),
};
