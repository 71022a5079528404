import type { Scenario } from '../laboratory/laboratory.ts';
import { befriendStrangers, friendStep } from './friend-request.ts';
import { callsOf, createGrowth, seedsOf } from './growth.ts';
import { pairsTalking } from './message-routes.ts';

const pairs = 20;
const readers = 20;
const rows = 20;

/** A growing number of accounts, which must not slow down the users who chat. */
export const growthUsers: Scenario = {
  name: 'growth-users',
  title: 'A growing number of users',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const seeds = seedsOf(laboratory);
      if (!seeds) return;
      const { accounts, conversations, options } = laboratory;
      const growth = createGrowth(laboratory, load, report, 'users');
      for (const size of options.growUsers) {
        const present = await seeds.users();
        if (present > size * 1.5) {
          laboratory.say(`The system has ${present} users already: --fresh measures ${size} again`);
          continue;
        }
        await seeds.growUsers(size);
        // A new guest makes the services renew their cached data of the world room.
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
