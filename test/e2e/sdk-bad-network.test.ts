import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSdkStorm } from '../support/sdk/sdk-storm.ts';

const seed = Number(process.env.STORM_SEED ?? 1 + (Date.now() % 100_000));

/** The short form of test/fault/sdk.test.ts. */
test('through a network that cuts, freezes, delays, repeats and reorders, nothing is lost and nothing comes twice', {
  timeout: 180_000,
}, async (t) => {
  t.diagnostic(`--seed ${seed}`);
  const { findings, summary } = await runSdkStorm({ seed, forMs: 12_000, clients: 6 });
  t.diagnostic(summary);
  assert.equal(findings.count(), 0, String(findings));
});
