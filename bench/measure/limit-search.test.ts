import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLimit } from './limit-search.ts';

const search = { start: 1000, max: 100_000, factor: 1.5, precision: 0.05 };
const upTo = (limit: number) => async (rate: number) => rate <= limit;

test('the limit is found within the precision', async () => {
  const found = await findLimit({ ...search, probe: upTo(6130), hold: upTo(6130) });
  assert.ok(found <= 6130 && found >= 6130 * 0.94, `${found}`);
});

test('a rate that holds for a short time only is lowered until it holds', async () => {
  const found = await findLimit({ ...search, probe: upTo(6000), hold: upTo(4900) });
  assert.ok(found <= 4900 && found >= 4900 * 0.88, `${found}`);
});

test('a single failed probe among successful ones does not decide', async () => {
  let failed = false;
  const blip = async (rate: number) => {
    if (rate > 2000 && !failed) {
      failed = true;
      return false;
    }
    return rate <= 6130;
  };
  const found = await findLimit({ ...search, probe: blip, hold: upTo(6130) });
  assert.ok(failed && found >= 6130 * 0.94, `${found}`);
});

test('a limit below the start is found too', async () => {
  const found = await findLimit({ ...search, probe: upTo(210), hold: upTo(210) });
  assert.ok(found <= 210 && found >= 190, `${found}`);
});

test('no rate above the maximum is tried', async () => {
  const tried: number[] = [];
  const probe = async (rate: number) => tried.push(rate) > 0;
  assert.equal(await findLimit({ ...search, max: 4000, probe, hold: probe }), 4000);
  assert.ok(Math.max(...tried) <= 4000);
});

test('a system that holds nothing has the limit 0', async () => {
  assert.equal(await findLimit({ ...search, start: 8, probe: upTo(0), hold: upTo(0) }), 0);
});
