import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Consumer } from 'kafkajs';
import { createLogger } from '../log.ts';
import { takeOver } from './predecessors.ts';

test('a consumer that cannot look for predecessors starts all the same', async () => {
  let runs = 0;
  const consumer = takeOver(
    { groupId: 'group', clientId: 'a', log: createLogger('test', 'silent') },
    () =>
      ({
        describeGroup: () => Promise.reject(new Error('no coordinator')),
        async run() {
          runs += 1;
        },
      }) as unknown as Consumer,
  );
  await consumer.run();
  assert.equal(runs, 1);
});
