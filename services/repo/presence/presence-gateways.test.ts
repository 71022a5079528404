import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RedisStore } from '../storage/redis.ts';
import { createGateways } from './presence-gateways.ts';

test('a process that just started without Redis refuses to locate users, instead of finding none', async () => {
  let at = 0;
  const redis = { run: async () => undefined, beforeUse: () => undefined } as unknown as RedisStore;
  const gateways = createGateways({ redis, clock: () => at });
  await assert.rejects(gateways.locateTopics(['1']), { code: 'UNAVAILABLE' });
  // The gateways that have renewed here so far may not be all of them.
  const gateway = { gatewayId: 'g', bootId: 'b', pushAddress: '' };
  await gateways.renew(gateway, true);
  await assert.rejects(gateways.locateTopics(['1']), { code: 'UNAVAILABLE' });
  at += 9000;
  await gateways.renew(gateway, true);
  at += 2000;
  assert.deepEqual(await gateways.locateTopics(['1']), [{ gateway, users: 'unknown' }]);
});
