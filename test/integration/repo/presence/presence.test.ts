import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PresenceTransition } from '../../../../lib/gen/im_repo/v1/online_status.ts';
import { createPresenceHandlers } from '../../../../services/repo/presence/presence.ts';
import { createGateways } from '../../../../services/repo/presence/presence-gateways.ts';
import { eventually } from '../../../support/eventually.ts';
import { openMessageRepo } from '../../../support/repo/open-repo.ts';

const { redis, repo } = await openMessageRepo();

type Gateway = Awaited<ReturnType<typeof startGateway>>;
let gateways = 0;

/** A gateway with its lease, and all its sessions known. */
async function startGateway() {
  gateways += 1;
  const gateway = { gatewayId: `g${gateways}`, bootId: `boot-${gateways}`, pushAddress: `host:${gateways}` };
  const renew = (synced: boolean) => repo.presence.renewGateway({ gateway, synced });
  const update = (
    what: 'connected' | 'heartbeats' | 'disconnected',
    ...sessions: [string, string, number?][]
  ) =>
    repo.presence.updateSessions({
      gatewayId: gateway.gatewayId,
      bootId: gateway.bootId,
      connected: [],
      heartbeats: [],
      disconnected: [],
      [what]: sessions.map(([userId, sessionId, at = Date.now()]) => ({
        userId,
        sessionId,
        connectedAt: at,
        lastActiveAt: at,
      })),
    });
  assert.equal((await renew(true)).resync, true);
  assert.equal((await renew(true)).resync, false);
  return { ...gateway, renew, update, gateway };
}

const newUser = async () => (await repo.newUsers(1))[0] ?? '';
const usersOf = (transitions: readonly PresenceTransition[]) => transitions.map(({ userId }) => userId);
const isOnline = async (userId: string) =>
  (await repo.presence.getUserOnlineStatus({ userId })).status?.online;
const confirm = async (users: readonly PresenceTransition[]) =>
  usersOf((await repo.presence.confirmOffline({ users: [...users] })).offline);
const located = async (userIds: string[], { gatewayId }: Gateway) =>
  (await repo.presence.locateUsers({ userIds })).locations.find(
    ({ gateway }) => gateway?.gatewayId === gatewayId,
  )?.userIds ?? [];
/** As if the lease had not been renewed for its time. */
const endLease = async ({ gatewayId, bootId }: Gateway) => {
  await redis.client.hdel('gateway:leases', gatewayId);
  await redis.client.zadd('gateway:boots', 0, bootId);
  await repo.gateways.release(gatewayId, bootId);
};
const cleanUp = async (
  options: { dryRun?: boolean; cursor?: string; olderThanMs?: number; limit?: number } = {},
) =>
  repo.presence.cleanupExpiredStatus({
    dryRun: false,
    olderThanMs: 75_000,
    limit: 100,
    cursor: '',
    ...options,
  });

/** Everything that a clean-up finds, page by page, and how often. */
const cleanUpAll = async (options: Parameters<typeof cleanUp>[0]) => {
  const offline: string[] = [];
  let sessionsRemoved = 0;
  for (let cursor: string | undefined; cursor !== ''; ) {
    const page = await cleanUp({ ...options, cursor: cursor ?? '' });
    offline.push(...usersOf(page.offline));
    sessionsRemoved += page.sessionsRemoved;
    cursor = page.nextCursor;
  }
  return { offline: offline.toSorted(), sessionsRemoved };
};

test('the first session makes a user online, the last one’s end offline, once confirmed', async () => {
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

test('a reconnect before the confirmation is told neither way', async () => {
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

test('calls that are repeated answer alike', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  const at = Date.now();
  const first = await gateway.update('connected', [user, 's1', at]);
  assert.equal(first.cameOnline.length, 1);
  assert.deepEqual(await gateway.update('connected', [user, 's1', at]), first);
  const gone = await gateway.update('disconnected', [user, 's1', at]);
  assert.equal(gone.disconnected.length, 1);
  assert.deepEqual(await gateway.update('disconnected', [user, 's1', at]), gone);
});

test('connect and disconnect within one flush are both told', async () => {
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

test('a gateway whose lease has ended is not called any more, but its topic gets what its sockets would miss', async () => {
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

test('a gateway that has not sent all its sessions may hold anybody', async () => {
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

test('hundreds of sessions go in one call', async () => {
  const gateway = await startGateway();
  const users = await repo.newUsers(1200);
  const { cameOnline } = await gateway.update(
    'connected',
    ...users.map((id) => [id, `s-${id}`] as [string, string]),
  );
  assert.equal(cameOnline.length, 1200);
  assert.equal((await located(users, gateway)).length, 1200);
});

/** Sessions of a user, all opened at the same time. */
const sockets = (userId: string, count: number, at = Date.now()) =>
  Array.from({ length: count }, (_, index) => [userId, `${userId}-${index}`, at] as [string, string, number]);

/** CPU time of Redis, in ms: the machine may do something else meanwhile. */
const redisCost = async (run: () => Promise<unknown>) => {
  const used = async () => {
    const info = await redis.client.info('cpu');
    const seconds = (name: string) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]);
    return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1000;
  };
  const from = await used();
  await run();
  return (await used()) - from;
};

test('what a user’s session costs does not grow with how many the user has', async () => {
  await cleanUpAll({});
  const gateway = await startGateway();
  const [few, many] = [await newUser(), await newUser()];
  await gateway.update('connected', ...sockets(few, 20), ...sockets(many, 4000));
  // 500 sessions are one call of the script, during which Redis answers nobody else.
  const cost = async (userId: string, what: 'connected' | 'heartbeats' | 'disconnected', prefix = userId) => {
    const some = Array.from({ length: 500 }, (_, at) => [userId, `${prefix}-${at % 20}`] as [string, string]);
    return redisCost(() => gateway.update(what, ...some));
  };
  const asking = (userId: string) =>
    redisCost(async () => {
      for (let i = 0; i < 100; i++) await isOnline(userId);
    });
  for (const [what, prefix] of [
    ['heartbeats', ''],
    ['connected', 'more'],
    ['disconnected', 'more'],
  ] as const) {
    const little = await cost(few, what, prefix || few);
    const much = await cost(many, what, prefix || many);
    assert.ok(
      much < 5 * little + 50,
      `${what}: ${much.toFixed()} ms, of a user with few ${little.toFixed()} ms`,
    );
  }
  const [little, much] = [await asking(few), await asking(many)];
  assert.ok(
    much < 5 * little + 50,
    `asking: ${much.toFixed()} ms, of a user with few ${little.toFixed()} ms`,
  );
  assert.deepEqual(usersOf((await gateway.update('disconnected', ...sockets(many, 3999))).disconnected), []);
  assert.deepEqual(await located([many], gateway), [many]);
  const last: [string, string] = [many, `${many}-3999`];
  assert.deepEqual(usersOf((await gateway.update('disconnected', last)).disconnected), [many]);
  assert.deepEqual(await located([many], gateway), []);
  assert.equal(await redis.client.exists(`user:boots:${many}`, `user:online:${many}`), 0);
});

test('the clean-up of a user with thousands of sessions is quick, dry or not, silent or of a dead gateway', async () => {
  await cleanUpAll({});
  const [gateway, dying] = [await startGateway(), await startGateway()];
  const [silent, orphan] = [await newUser(), await newUser()];
  await gateway.update('connected', ...sockets(silent, 2000, Date.now() - 200_000));
  await dying.update('connected', ...sockets(orphan, 2000));
  await endLease(dying);
  for (const dryRun of [true, false]) {
    const cost = await redisCost(async () =>
      assert.deepEqual(await cleanUpAll({ dryRun }), {
        offline: [silent, orphan].toSorted(),
        sessionsRemoved: 4000,
      }),
    );
    assert.ok(cost < 1000, `${cost.toFixed()} ms, dry run: ${dryRun}`);
  }
  assert.equal(await redis.client.exists(`user:boots:${silent}`, `user:boots:${orphan}`), 0);
});

test('sessions that a version before did not count are counted when somebody looks', async () => {
  const [gateway, stays, leaves, asked] = [
    await startGateway(),
    await newUser(),
    await newUser(),
    await newUser(),
  ];
  const users = [stays, leaves, asked];
  await gateway.update('connected', ...users.flatMap((userId) => sockets(userId, 2)));
  await redis.client.del(users.map((userId) => `user:boots:${userId}`));
  await gateway.update('heartbeats', [stays, `${stays}-0`]);
  assert.deepEqual((await gateway.update('disconnected', [stays, `${stays}-0`])).disconnected, []);
  const { disconnected } = await gateway.update('disconnected', ...sockets(leaves, 2), [stays, `${stays}-1`]);
  assert.deepEqual(usersOf(disconnected), [leaves, stays]);
  assert.equal(await isOnline(asked), true);
  const lives = await redis.client.pttl(`user:boots:${asked}`);
  assert.ok(lives > 0 && lives <= 86_400_000, String(lives));
});

test('who was last seen when survives going offline, and Redis', async () => {
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
  // Nobody is lost meanwhile: the gateway may hold anybody.
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

test('a disconnect that Redis knows nothing of any more is told all the same', async () => {
  const [gateway, user] = [await startGateway(), await newUser()];
  await gateway.update('connected', [user, 's', Date.now() - 1000]);
  await redis.client.flushall();
  await gateway.renew(true);
  const { disconnected } = await gateway.update('disconnected', [user, 's']);
  assert.deepEqual(await confirm(disconnected), [user]);
});

test('who left before a flush and has not come back is told of, once, and who came back is not', async () => {
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

test('soon after a flush nobody is judged', async () => {
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

test('the clean-up ends silent sessions and those of dead gateways, and tells of each user once', async () => {
  const [gateway, dying] = [await startGateway(), await startGateway()];
  const [silent, alive, orphan, moved] = (await repo.newUsers(4)) as [string, string, string, string];
  await gateway.update('connected', [silent, 's', Date.now() - 100_000], [alive, 'a']);
  await dying.update('connected', [orphan, 'o'], [moved, 'm1']);
  await gateway.update('connected', [moved, 'm2']);
  await endLease(dying);

  const dry = await cleanUp({ dryRun: true });
  assert.deepEqual(usersOf(dry.offline), [silent]);
  const first = await cleanUp();
  const found = usersOf(first.offline);
  assert.ok(found.includes(silent) && found.includes(orphan), String(found));
  assert.ok(!found.includes(alive) && !found.includes(moved), String(found));
  // The page got lost: it comes again.
  const again = await cleanUp();
  assert.deepEqual(usersOf(again.offline).toSorted(), found.toSorted());
  let page = await cleanUp({ cursor: again.nextCursor });
  while (page.nextCursor !== '') page = await cleanUp({ cursor: page.nextCursor });
  assert.deepEqual([(await cleanUp()).offline, (await cleanUp()).sessionsRemoved], [[], 0]);
  assert.deepEqual(usersOf((await gateway.update('connected', [silent, 's2'])).cameOnline), [silent]);
});

test('a dry run counts what a real one does, each session and user once, and changes nothing', async () => {
  await cleanUpAll({});
  const [gateway, dying, dead] = [await startGateway(), await startGateway(), await startGateway()];
  const users = (await repo.newUsers(6)) as [string, string, string, string, string, string];
  const [silent, both, orphan, twice, moved, alive] = users;
  const longAgo = Date.now() - 200_000;
  await gateway.update('connected', [silent, 's1', longAgo], [silent, 's2', longAgo], [alive, 'a']);
  await dying.update('connected', [both, 'b1', longAgo], [both, 'b2'], [orphan, 'o'], [twice, 't1']);
  await dead.update('connected', [twice, 't2'], [moved, 'm1']);
  await gateway.update('connected', [moved, 'm2']);
  await endLease(dying);
  await endLease(dead);

  const expected = { offline: [silent, both, orphan, twice].toSorted(), sessionsRemoved: 8 };
  for (const limit of [100, 1]) assert.deepEqual(await cleanUpAll({ dryRun: true, limit }), expected);
  assert.deepEqual(await cleanUpAll({ limit: 3 }), expected);
  assert.deepEqual(await cleanUpAll({ dryRun: true }), { offline: [], sessionsRemoved: 0 });
});

test('whose leaving nobody confirmed is found by the clean-up', async () => {
  await cleanUpAll({});
  const [gateway, lost, back, told] = [
    await startGateway(),
    ...((await repo.newUsers(3)) as [string, string, string]),
  ];
  await gateway.update('connected', [lost, 'l'], [back, 'b'], [told, 't']);
  const { disconnected } = await gateway.update('disconnected', [lost, 'l'], [back, 'b'], [told, 't']);
  await gateway.update('connected', [back, 'b2']);
  assert.deepEqual(await confirm(disconnected.filter(({ userId }) => userId === told)), [told]);
  assert.deepEqual((await cleanUpAll({})).offline, []);
  await redis.client.zadd('presence:away', 'XX', Date.now() - 200_000, lost);
  assert.deepEqual((await cleanUpAll({ dryRun: true })).offline, [lost]);
  assert.deepEqual((await cleanUpAll({})).offline, [lost]);
  assert.deepEqual((await cleanUpAll({})).offline, []);
  // Its flow comes late: the same event, which is skipped by whoever saw it.
  assert.deepEqual(await confirm(disconnected.filter(({ userId }) => userId === lost)), [lost]);
});

test('a live gateway’s silent session is left to it for a while', async () => {
  const [gateway, silent, longSilent] = [await startGateway(), await newUser(), await newUser()];
  // Here a session may be silent for 0 s, and 0 s later somebody counts as offline.
  await gateway.update(
    'connected',
    [silent, 's', Date.now() - 10_000],
    [longSilent, 'l', Date.now() - 16_000],
  );
  assert.deepEqual((await cleanUpAll({ olderThanMs: 0 })).offline, [longSilent]);
  assert.equal(await isOnline(silent), true);
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
