import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../../../lib/metrics.ts';
import { createGatewayMetrics } from '../../../../services/gateway/metrics/gateway-metrics.ts';
import { createGatewayLease } from '../../../../services/gateway/presence/gateway-lease.ts';
import { createPresence } from '../../../../services/gateway/presence/presence.ts';
import type { Session } from '../../../../services/gateway/sessions/session.ts';
import { createPresenceHandlers } from '../../../../services/repo/presence/presence.ts';
import { eventually } from '../../../support/eventually.ts';
import { openMessageRepo } from '../../../support/repo/open-repo.ts';

const sessionsEach = 1500;
const groupSize = 300;
/** The time after a flush in which nobody is declared offline, as in operation; the tests of the clean-up use a shorter one. */
const healMs = 60_000;

const { redis, repo } = await openMessageRepo({ redisTimeoutMs: 10_000 });
const handlers = createPresenceHandlers({ ...repo, offlineConfirmMs: 0, healMs });

/** A gateway's own presence and lease over repo's, without its sockets. */
async function startGateway(gatewayId: string, userIds: readonly string[]) {
  const gateway = { gatewayId, bootId: `boot-of-${gatewayId}`, pushAddress: 'nowhere:1' };
  const told: string[] = [];
  const sessions: Session[] = [];
  const newSession = (userId: string) =>
    ({
      id: `session-of-${userId}`,
      userId,
      connectedAt: Date.now(),
      lastSeenAt: Date.now(),
      lastReportedAt: Date.now(),
      state: 'open',
    }) as Session;
  const presence = createPresence({
    presence: handlers,
    ...gateway,
    events: {
      publish: (type, transitions) => {
        for (const { userId } of transitions) told.push(`${type} ${userId}`);
      },
      depth: () => 0,
      flush: async () => undefined,
    },
    isKnown: () => lease.isKnown(),
    onFlushed: (registered) => lease.flushed(registered),
    metrics: createGatewayMetrics(createMetrics('test')),
    log: repo.log,
  });
  const lease = createGatewayLease({
    presence: handlers,
    gateway,
    resend: () => presence.resend(sessions),
    onLapsed: () => undefined,
    log: repo.log,
  });
  await lease.renew();
  sessions.push(...userIds.map(newSession));
  await Promise.all(sessions.map(presence.connected));
  return { gatewayId, userIds, presence, lease, told };
}

/** The current recipients of a message to the conversation: the users by gateway. */
async function audienceOf(conversationId: string, senderId: string): Promise<Map<string, Set<string>>> {
  const { results, recipients } = await repo.messages.saveMessages({
    messages: [repo.newMessage(conversationId, senderId)],
    recipientsOf: [],
  });
  assert.equal(results[0]?.error, 0);
  return new Map((recipients[0]?.gateways ?? []).map((one) => [one.gatewayId, new Set(one.userIds)]));
}

test('after a flush of Redis with thousands online, every message reaches all of them, and nobody is announced as offline', async (t) => {
  const users = await repo.newUsers(2 * sessionsEach);
  const [here, there] = await Promise.all([
    startGateway('here', users.slice(0, sessionsEach)),
    startGateway('there', users.slice(sessionsEach)),
  ]);
  t.after(() => Promise.all([here.lease.release(), there.lease.release()]));
  const everyTenth = users.filter((_, index) => index % (users.length / groupSize) === 0);
  const group = await repo.newConversation(everyTenth);
  const [sender = ''] = everyTenth;
  const onlineAt = ({ userIds }: typeof here) => everyTenth.filter((id) => userIds.includes(id));
  const exact = async () => {
    const audience = await audienceOf(group, sender);
    return [here, there].every((gateway) => {
      const found = audience.get(gateway.gatewayId) ?? new Set();
      return found.size === groupSize / 2 && onlineAt(gateway).every((id) => found.has(id));
    });
  };
  await eventually(exact);
  assert.equal(here.told.length + there.told.length, users.length);

  await redis.client.flushall();
  // Before the gateways notice the flush, while they send all sessions again, and after that.
  let messages = 0;
  let healed = false;
  const sending = (async () => {
    while (!healed) {
      const audience = await audienceOf(group, sender);
      for (const gateway of [here, there]) {
        const found = audience.get(gateway.gatewayId);
        const missed = onlineAt(gateway).filter((id) => !found?.has(id));
        assert.deepEqual(missed, [], `message ${messages} misses some at ${gateway.gatewayId}`);
      }
      messages += 1;
    }
  })();
  const { waitMs, offline } = await handlers.confirmOffline({
    users: [{ userId: sender, epoch: 'of before', lastActiveAt: 0 }],
  });
  assert.ok(waitMs > healMs / 2, 'shortly after a flush, nobody is declared offline');
  assert.deepEqual(offline, []);
  await Promise.race([eventually(() => messages >= 3), sending]);
  await Promise.all([here.lease.renew(), there.lease.renew()]);
  try {
    await Promise.race([eventually(exact), sending]);
  } finally {
    healed = true;
  }
  await sending;
  assert.ok(await exact());

  const { statuses } = await handlers.batchGetOnlineStatus({ userIds: users });
  assert.deepEqual(
    statuses.filter(({ online }) => !online),
    [],
  );
  assert.equal(here.told.length + there.told.length, users.length, 'a presence event was sent');
});
