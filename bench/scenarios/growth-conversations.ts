import type { Scenario } from '../laboratory/laboratory.ts';
import { callsOf, createGrowth, membersTalking, seedsOf } from './growth.ts';

const members = 8;
/** Messages go to so many of the conversations. */
const busy = 100;
const fewRows = 10;
const page = 50;

/** Users with ever more conversations: a page of the list and a message must not notice. */
export const growthConversations: Scenario = {
  name: 'growth-conversations',
  title: 'Users with more and more conversations',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const seeds = seedsOf(laboratory);
      if (!seeds) return;
      const { accounts } = laboratory;
      const growth = createGrowth(laboratory, load, report, 'conversations');
      for (const size of laboratory.options.growConversations) {
        const key = `growth of ${size} conversations`;
        const crew = await accounts.crew(key, members, async (fresh) => {
          laboratory.say(`Writing ${size} conversations of ${members} users`);
          await seeds.groups(
            key,
            fresh.map(({ userId }) => userId),
            size,
          );
        });
        const [anyone] = crew;
        if (!anyone) throw new Error('there are no members');
        const heads = await seeds.heads(anyone.userId);
        const step = Math.max(1, Math.floor(heads.length / busy));
        const some = heads.filter((_, index) => index % step === 0).slice(0, busy);
        await growth.sends(size, await membersTalking(laboratory, load, crew, some));
        // As many rows as the smallest size has, and a usual page.
        await growth.calls(size, `list of ${fewRows}`, callsOf(crew, `/conversations?limit=${fewRows}`));
        if (size >= page)
          await growth.calls(size, `list of ${page}`, callsOf(crew, `/conversations?limit=${page}`));
        // Nothing was missed. What is asked about grows with the conversations, so its cost may.
        const body = JSON.stringify({ cursors: Object.fromEntries(await seeds.heads(anyone.userId)) });
        const syncs = crew.map(({ accessToken }) => ({
          method: 'POST' as const,
          path: '/sync',
          accessToken,
          body,
        }));
        await growth.calls(size, 'sync of nothing', syncs, 'one caller');
      }
      growth.compare();
    }),
};
