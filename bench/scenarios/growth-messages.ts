import type { Scenario } from '../laboratory/laboratory.ts';
import type { RestCall } from '../load/commands.ts';
import { callsOf, createGrowth, membersTalking, seedsOf } from './growth.ts';

const members = 10;
const page = 50;
/** More positions in the history than any cache holds. */
const places = 1000;

/** A conversation with a growing number of messages, which must not slow down sending, the list or the history. */
export const growthMessages: Scenario = {
  name: 'growth-messages',
  title: 'Growing conversations',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const seeds = seedsOf(laboratory);
      if (!seeds) return;
      const { accounts, conversations } = laboratory;
      const growth = createGrowth(laboratory, load, report, 'messages');
      for (const size of laboratory.options.growMessages) {
        const key = `growth of ${size} messages`;
        const crew = await accounts.crew(key, members, async (fresh) => {
          const memberIds = fresh.map(({ userId }) => userId);
          accounts.fixtures.groups[key] = await seeds.group(key, memberIds, size);
        });
        const [anyone] = crew;
        const conversationId = accounts.fixtures.groups[key];
        if (!anyone || conversationId === undefined) throw new Error('the seeded conversation is missing');
        const head = await conversations.head(conversationId, anyone);
        await growth.sends(size, await membersTalking(laboratory, load, crew, [[conversationId, head]]));
        await growth.calls(size, 'list', callsOf(crew, '/conversations?limit=50'));
        const path = `/conversations/${conversationId}/messages?limit=${page}`;
        await growth.calls(size, 'newest page', callsOf(crew, path));
        const anywhere = Array.from({ length: places }, (_, index): RestCall => {
          const beforeSeq = page + 1 + ((index * 7919) % Math.max(1, head - page));
          const { accessToken } = crew[index % crew.length] ?? anyone;
          return { method: 'GET', path: `${path}&beforeSeq=${beforeSeq}`, accessToken };
        });
        await growth.calls(size, 'page anywhere', anywhere);
      }
      growth.compare();
    }),
};
