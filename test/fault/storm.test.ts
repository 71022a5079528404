import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { allFaults } from '../support/storm/faults.ts';
import { runStorm } from '../support/storm/storm.ts';
import { openSystemParts } from '../support/system-parts.ts';

/** `npm run test:fault -- storm --minutes 20 --seed 7 --only 'kill|repo-mysql'`. */
const minutes = Number(process.env.STORM_MINUTES ?? 5);
const seed = Number(process.env.STORM_SEED ?? randomInt(1, 1e6));
const only = new RegExp(process.env.STORM_ONLY ?? '');
/** The rest of the time all of them happen at random, several at once. */
const oneByOneShare = 0.6;

const parts = openSystemParts();

test(`through a storm of ${minutes} minutes and seed ${seed} nothing acknowledged is lost, and everybody gets everything once and in order`, {
  timeout: (minutes + 10) * 60_000,
}, async (t) => {
  const { isGood, summary, report } = await runStorm({
    seed,
    perSecond: 30,
    parts,
    async injectFaults(schedule, random, devices) {
      const faults = random.shuffled((await allFaults(devices)).filter(({ name }) => only.test(name)));
      assert.ok(faults.length > 0, `no fault's name fits ${only}`);
      await schedule.oneByOne(faults, minutes * 60_000 * oneByOneShare);
      await schedule.together(faults, minutes * 60_000 * (1 - oneByOneShare));
    },
  });
  t.diagnostic(summary);
  assert.ok(isGood, report);
});
