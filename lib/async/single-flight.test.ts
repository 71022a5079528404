import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSingleFlight } from './single-flight.ts';

test('concurrent calls share one execution, and a later call starts a new one', async () => {
  let done = 0;
  const { run, inFlight } = createSingleFlight(async () => {
    done += 1;
    return done;
  });
  const outcomes = Promise.all([run(), run(), run()]);
  assert.equal(await inFlight(), 1);
  assert.deepEqual(await outcomes, [1, 1, 1]);
  assert.equal(inFlight(), undefined);
  assert.equal(await run(), 2);
});

test('concurrent calls share a failure, too, and a later call tries again', async () => {
  let failures = 1;
  const { run } = createSingleFlight(async () => {
    if (failures-- > 0) throw new Error('away');
    return 'here';
  });
  const outcomes = await Promise.allSettled([run(), run()]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await run(), 'here');
});
