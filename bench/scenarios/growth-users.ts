import type { Scenario } from '../laboratory/laboratory.ts';
import { befriendStrangers, friendStep } from './friend-request.ts';
import { callsOf, createGrowth, seedsOf } from './growth.ts';
import { pairsTalking } from './message-routes.ts';

const pairs = 20;
const readers = 20;
const rows = 20;

/** More and more people who have an account: nobody who chats must notice. */
export const growthUsers: Scenario = {
  name: 'growth-users',
  title: 'More and more users',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const seeds = seedsOf(laboratory);
      if (!seeds) return;
      const { accounts, conversations, options } = laboratory;
      const growth = createGrowth(laboratory, load, report, 'users');
      for (const size of options.growUsers) {
        const present = await seeds.users();
        if (present > size * 1.5) {
          laboratory.say(`${present} users are there already: --fresh measures ${size} again`);
          continue;
        }
        await seeds.growUsers(size);
        // Whoever comes after them renews what is cached of the world room.
        await accounts.takeGuests(accounts.fixtures.guests.length + 1);
        await growth.sends(size, await pairsTalking(laboratory, load, pairs));
        const list = await conversations.rows(readers, rows);
        await growth.calls(size, 'list', callsOf(list, '/conversations?limit=50'));
        await growth.calls(size, 'search', callsOf(list, '/users/search?q=bench'), 'one caller');
        const measured = await laboratory.measure(() => befriendStrangers(laboratory, options.flows));
        growth.step(size, 'friend request', friendStep('', measured.value, measured));
      }
      growth.compare();
    }),
};
