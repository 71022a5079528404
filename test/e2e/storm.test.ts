import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropped, flushed, killed, throughDoor } from '../support/storm/faults.ts';
import { runStorm } from '../support/storm/storm.ts';
import { openSystemParts } from '../support/system-parts.ts';

const parts = openSystemParts();

/** The short form of test/fault/storm.test.ts. */
test('through a short storm nothing acknowledged is lost, and everybody gets everything once and in order', {
  timeout: 180_000,
}, async (t) => {
  const { isGood, summary, report } = await runStorm({
    seed: 1,
    perSecond: 30,
    parts,
    injectFaults: (schedule, _, devices) =>
      schedule.oneByOne([
        killed('core'),
        flushed(),
        throughDoor('core-mysql', { is: 'silent' }, 4000),
        dropped(devices),
        killed('gateway-1'),
        throughDoor('gateway-2-kafka', { is: 'shut' }, 3000),
      ]),
  });
  t.diagnostic(summary);
  assert.ok(isGood, report);
});
