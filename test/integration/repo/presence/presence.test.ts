import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPresenceHandlers } from '../../../../services/repo/presence/presence.ts';
import { createGateways } from '../../../../services/repo/presence/presence-gateways.ts';
import { eventually } from '../../../support/eventually.ts';
import { openPresenceRepo, usersOf } from '../../../support/repo/presence-repo.ts';

const { redis, repo, startGateway, newUser, isOnline, confirm, located, endLease, cleanUp } =
  await openPresenceRepo();

test('the first session sets a user online, and the confirmed end of the last one offline', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  const { cameOnline, registered } = await gateway.update('connected', [user, 's1']);
  assert.deepEqual([usersOf(cameOnline), registered], [[user], true]);
  assert.deepEqual((await gateway.update('connected', [user, 's2'])).cameOnline, []);
  assert.equal(await isOnline(user), true);
  assert.deepEqual((await gateway.update('disconnected', [user, 's1'])).disconnected, []);
  const { disconnected } = await gateway.update('disconnected', [user, 's2']);
  assert.deepEqual(usersOf(disconnected), [user]);
  assert.equal(disconnected[0]?.epoch, cameOnline[0]?.epoch);
  assert.equal(await isOnline(user), false);
  assert.deepEqual(await confirm(disconnected), [user]);
  // An activity that is repeated gets the same answer; another epoch does not.
  assert.deepEqual(await confirm(disconnected), [user]);
  assert.deepEqual(await confirm([{ userId: user, epoch: 'other', lastActiveAt: 0 }]), []);
  assert.deepEqual(usersOf((await gateway.update('connected', [user, 's3'])).cameOnline), [user]);
});

test('a reconnect before the confirmation is announced neither as offline nor as online', async () => {
  const [gateway, other, user] = [await startGateway(), await startGateway(), await newUser()];
  await gateway.update('connected', [user, 's1']);
  const { disconnected } = await gateway.update('disconnected', [user, 's1']);
  assert.deepEqual((await other.update('connected', [user, 's2'])).cameOnline, []);
  assert.deepEqual(await confirm(disconnected), []);
  const second = (await other.update('disconnected', [user, 's2'])).disconnected;
  assert.notEqual(second[0]?.epoch, disconnected[0]?.epoch);
  assert.deepEqual(await confirm(disconnected), []);
  assert.deepEqual(await confirm(second), [user]);
});

test('repeated calls get the same answers', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  const at = Date.now();
  const first = await gateway.update('connected', [user, 's1', at]);
  assert.equal(first.cameOnline.length, 1);
  assert.deepEqual(await gateway.update('connected', [user, 's1', at]), first);
  const gone = await gateway.update('disconnected', [user, 's1', at]);
  assert.equal(gone.disconnected.length, 1);
  assert.deepEqual(await gateway.update('disconnected', [user, 's1', at]), gone);
});

test('a connect and a disconnect within one flush are both announced', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  const session = { userId: user, sessionId: 's', connectedAt: Date.now(), lastActiveAt: Date.now() };
  const { cameOnline, disconnected } = await repo.presence.updateSessions({
    gatewayId: gateway.gatewayId,
    bootId: gateway.bootId,
    connected: [session],
    heartbeats: [],
    disconnected: [session],
  });
  assert.deepEqual([usersOf(cameOnline), usersOf(disconnected)], [[user], [user]]);
});

test('users are located at the gateways that hold them; sessions of a dead boot do not count', async () => {
  const [a, b, ann, bob] = [await startGateway(), await startGateway(), await newUser(), await newUser()];
  await a.update('connected', [ann, 'a1'], [bob, 'b1']);
  await b.update('connected', [ann, 'a2']);
  assert.deepEqual([await located([ann, bob], a), await located([ann, bob], b)], [[ann, bob], [ann]]);
  await a.update('disconnected', [ann, 'a1']);
  assert.deepEqual(await located([ann, bob], a), [bob]);
  await endLease(a);
  assert.deepEqual(await located([ann, bob], a), []);
  assert.deepEqual([await isOnline(ann), await isOnline(bob)], [true, false]);
  const { statuses } = await repo.presence.batchGetOnlineStatus({ userIds: [bob, ann] });
  assert.deepEqual(
    statuses.map(({ userId, online, gatewayIds }) => [userId, online, gatewayIds]),
    [
      [bob, false, []],
      [ann, true, [b.gatewayId]],
    ],
  );
});

test('a gateway whose lease has ended is not called any more, but its topic still gets messages for its sockets', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  let now = 0;
  const seenBy = (gateways: ReturnType<typeof createGateways>) => async (how: 'locate' | 'locateTopics') =>
    (await gateways[how]([user])).find((one) => one.gateway.gatewayId === gateway.gatewayId)?.users;
  const endedAgo = async (ms: number) => {
    const lease = JSON.parse((await redis.client.hget('gateway:leases', gateway.gatewayId)) ?? '');
    const ended = JSON.stringify({ ...lease, expires_at: Date.now() - ms });
    await redis.client.hset('gateway:leases', gateway.gatewayId, ended);
  };
  const here = seenBy(createGateways({ redis: repo.redis, clock: () => now }));
  now += 11_000;
  assert.deepEqual([await here('locate'), await here('locateTopics')], [new Set(), new Set()]);
  await endedAgo(5000);
  now += 11_000;
  assert.deepEqual([await here('locate'), await here('locateTopics')], [undefined, 'unknown']);
  // A process that has just started was perhaps what the gateway could not reach.
  const started = seenBy(createGateways({ redis: repo.redis, clock: () => now }));
  assert.deepEqual([await started('locate'), await started('locateTopics')], ['unknown', 'unknown']);
  await endedAgo(150_000);
  assert.deepEqual([await here('locate'), await here('locateTopics')], [undefined, undefined]);
  await endLease(gateway);
});

test('a gateway that has not sent all its sessions counts as a possible location of every user', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  assert.deepEqual(await located([user], gateway), []);
  assert.equal((await gateway.renew(false)).resync, true);
  assert.deepEqual(await located([user], gateway), [user]);
  assert.equal((await gateway.renew(true)).resync, false);
  assert.deepEqual(await located([user], gateway), []);
  const next = { ...gateway.gateway, bootId: 'another-start' };
  assert.equal((await repo.presence.renewGateway({ gateway: next, synced: true })).resync, true);
  assert.deepEqual(await located([user], gateway), [user]);
  await repo.presence.releaseGateway({ gatewayId: gateway.gatewayId, bootId: 'another-start' });
  assert.deepEqual(await located([user], gateway), []);
  const listed = (await repo.presence.listGateways({})).gateways.map(({ gatewayId }) => gatewayId);
  assert.ok(!listed.includes(gateway.gatewayId));
});

test('hundreds of sessions are sent in one call', async () => {
  const gateway = await startGateway();
  const users = await repo.newUsers(1200);
  const { cameOnline } = await gateway.update(
    'connected',
    ...users.map((id) => [id, `s-${id}`] as [string, string]),
  );
  assert.equal(cameOnline.length, 1200);
  assert.equal((await located(users, gateway)).length, 1200);
});

test('the time at which a user was last seen survives going offline and a loss of Redis', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  await gateway.update('connected', [user, 's', 5000]);
  await gateway.update('heartbeats', [user, 's', 6000]);
  const lastActive = async () =>
    (await repo.presence.getUserOnlineStatus({ userId: user })).status?.lastActiveAt;
  assert.equal(await lastActive(), 6000);
  const { disconnected } = await gateway.update('disconnected', [user, 's', 7000]);
  assert.equal(await lastActive(), 7000);
  await confirm(disconnected);
  await redis.client.flushall();
  assert.equal(await lastActive(), 7000);
});

test('a flushed Redis heals: gateways are asked for all their sessions, and friends hear nothing', async () => {
  const [gateway, ann, bob] = [await startGateway(), await newUser(), await newUser()];
  const at = Date.now() - 1000;
  await gateway.update('connected', [ann, 'a', at], [bob, 'b', at]);
  await redis.client.flushall();
  // No user is missed meanwhile: the gateway counts as a possible location of everybody.
  assert.deepEqual(await located([ann, bob], gateway), [ann, bob]);
  assert.equal((await gateway.renew(true)).resync, true);
  assert.deepEqual((await gateway.update('heartbeats', [ann, 'a', at])).cameOnline, []);
  assert.deepEqual((await gateway.update('connected', [bob, 'b', at])).cameOnline, []);
  assert.deepEqual((await gateway.update('connected', [bob, 'b', at])).cameOnline, []);
  assert.equal((await gateway.renew(true)).resync, false);
  assert.deepEqual(await located([ann, bob, await newUser()], gateway), [ann, bob]);
  const { disconnected } = await gateway.update('disconnected', [ann, 'a']);
  assert.deepEqual(await confirm(disconnected), [ann]);
});

test('a disconnect that Redis has lost is announced all the same', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  await gateway.update('connected', [user, 's', Date.now() - 1000]);
  await redis.client.flushall();
  await gateway.renew(true);
  const { disconnected } = await gateway.update('disconnected', [user, 's']);
  assert.deepEqual(await confirm(disconnected), [user]);
});

test('users who left before a flush are announced once, unless they have come back', async () => {
  const [gateway, gone, back] = [await startGateway(), await newUser(), await newUser()];
  await gateway.update('connected', [gone, 'g1'], [back, 'b1']);
  const first = (await gateway.update('disconnected', [gone, 'g1'], [back, 'b1'])).disconnected;
  await gateway.update('connected', [gone, 'g2'], [back, 'b2']);
  const second = (await gateway.update('disconnected', [gone, 'g2'])).disconnected;
  await redis.client.flushall();
  await gateway.renew(true);
  await gateway.update('heartbeats', [back, 'b2', Date.now() - 1000]);
  assert.deepEqual(await confirm(first), [gone]);
  assert.deepEqual(await confirm(first), [gone]);
  assert.deepEqual(await confirm(second), []);
  assert.deepEqual(usersOf((await gateway.update('connected', [gone, 'g3'])).cameOnline), [gone]);
  assert.deepEqual(await confirm(first), []);
});

test('shortly after a flush, nobody is declared offline', async () => {
  const careful = createPresenceHandlers({ ...repo, offlineConfirmMs: 0, healMs: 60_000 });
  const { waitMs, offline } = await careful.confirmOffline({
    users: [{ userId: await newUser(), epoch: 'e', lastActiveAt: 0 }],
  });
  assert.ok(waitMs > 0 && waitMs <= 60_000);
  assert.deepEqual(offline, []);
  const page = await careful.cleanupExpiredStatus({
    dryRun: false,
    olderThanMs: 1,
    limit: 9,
    cursor: '',
  });
  assert.ok(page.waitMs > 0);
});

test('without Redis everything answers, and the gateways known may hold anybody until they sent all again', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  await redis.kill();
  try {
    const { registered, cameOnline } = await gateway.update('connected', [user, 's']);
    assert.deepEqual([registered, cameOnline], [false, []]);
    assert.deepEqual(await located([user], gateway), [user]);
    assert.equal((await gateway.renew(true)).resync, true);
    assert.equal(await isOnline(user), false);
    const asked = { userId: user, epoch: 'e', lastActiveAt: 0 };
    assert.deepEqual((await repo.presence.confirmOffline({ users: [asked] })).offline, []);
    await cleanUp();
  } finally {
    await redis.restart();
    await eventually(() => repo.redis.isUp());
  }
  assert.deepEqual(await located([user], gateway), [user]);
  assert.equal((await gateway.renew(true)).resync, true);
  await gateway.update('heartbeats', [user, 's']);
  assert.equal((await gateway.renew(true)).resync, false);
  assert.deepEqual(await located([user, await newUser()], gateway), [user]);
  assert.equal(await isOnline(user), true);
});

test('a frozen Redis that comes back knows that it missed sessions', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  redis.freeze();
  assert.equal((await gateway.update('connected', [user, 's'])).registered, false);
  redis.thaw();
  await eventually(() => repo.redis.isUp());
  const lease = JSON.parse((await redis.client.hget('gateway:leases', gateway.gatewayId)) ?? '{}');
  assert.equal(lease.synced, false);
  assert.deepEqual(await located([user], gateway), [user]);
});
