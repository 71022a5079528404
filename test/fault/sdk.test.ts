import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import type { Random } from '../../bench/measure/random.ts';
import { pause } from '../support/pause.ts';
import { runSdkStorm } from '../support/sdk/sdk-storm.ts';
import { everythingReady } from '../support/servers/outage.ts';
import { processesHere, runningProcess } from '../support/servers/services.ts';

/** `npm run test:fault -- sdk --minutes 120 --seed 7`. */
const minutes = Number(process.env.STORM_MINUTES ?? 3);
const seed = Number(process.env.STORM_SEED ?? randomInt(1, 1e6));

/** Lets services drain, and kills them. */
async function disturb(random: Random, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(random.between(4_000, 15_000));
    const name = random.pick(['gateway-1', 'gateway-1', ...processesHere()]);
    process.kill(runningProcess(name).pid, random.pick(['SIGTERM', 'SIGKILL']));
  }
  await everythingReady();
}

test(`after ${minutes} minutes of bad network, crashes and restarts every client equals the server (seed ${seed})`, {
  timeout: (minutes + 10) * 60_000,
}, async (t) => {
  const { findings, summary } = await runSdkStorm({ seed, forMs: minutes * 60_000, clients: 20, disturb });
  t.diagnostic(summary);
  assert.equal(findings.count(), 0, String(findings));
});
