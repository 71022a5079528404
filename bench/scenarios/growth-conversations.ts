import type { Scenario } from '../laboratory/laboratory.ts';
import { callsOf, createGrowth, membersTalking, seedsOf } from './growth.ts';

const members = 8;
/** The number of conversations that get messages. */
const busy = 100;
const fewRows = 10;
const page = 50;

/** Users with a growing number of conversations, which must not slow down a page of the list or a message. */
export const growthConversations: Scenario = {
  name: 'growth-conversations',
  title: 'Users with a growing number of conversations',
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
        // One page with as many rows as the smallest size has, and one page of the usual length.
        await growth.calls(size, `list of ${fewRows}`, callsOf(crew, `/conversations?limit=${fewRows}`));
        if (size >= page)
          await growth.calls(size, `list of ${page}`, callsOf(crew, `/conversations?limit=${page}`));
        // A sync without missed messages. Its input grows with the conversations, so its cost may grow too.
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
