import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoChatError } from '../../../lib/errors.ts';
import { createLogger } from '../../../lib/log.ts';
import { createGatewayLease } from './gateway-lease.ts';

/** A lease with a clock and an im-repo that the test controls. */
function scene() {
  let at = 0;
  let reachable = true;
  let lapses = 0;
  const lease = createGatewayLease({
    presence: {
      async renewGateway() {
        if (!reachable) throw new GoChatError('UNAVAILABLE', 'away');
        return { resync: false };
      },
      releaseGateway: async () => ({}),
    },
    gateway: { gatewayId: 'g', bootId: 'b', pushAddress: '' },
    resend: async () => true,
    onLapsed: () => {
      lapses += 1;
    },
    log: createLogger('test', 'silent'),
    clock: () => at,
  });
  return {
    lease,
    lapses: () => lapses,
    reach(is: boolean) {
      reachable = is;
    },
    async renewAfter(seconds: number) {
      at += seconds * 1000;
      await lease.renew();
    },
  };
}

test('if im-repo stays unreachable, sockets are closed once, before they miss events', async (t) => {
  const { lease, lapses, reach, renewAfter } = scene();
  t.after(lease.release);
  reach(false);
  await renewAfter(3);
  await renewAfter(90);
  assert.equal(lapses(), 0);
  await renewAfter(10);
  await renewAfter(3);
  assert.equal(lapses(), 1);
});

test('sockets are also closed after the gateway was suspended, although im-repo answers at once', async (t) => {
  const { lease, lapses, renewAfter } = scene();
  t.after(lease.release);
  await renewAfter(150);
  await renewAfter(3);
  assert.equal(lapses(), 1);
});
