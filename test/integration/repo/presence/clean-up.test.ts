import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPresenceRepo, sessionsAt, usersOf } from '../../../support/repo/presence-repo.ts';

const { redis, repo, startGateway, newUser, isOnline, confirm, located, endLease, cleanUp } =
  await openPresenceRepo({ redisTimeoutMs: 10_000 });

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

test('the cost of a session does not grow with the number of the user’s sessions', async () => {
  await cleanUpAll({});
  const gateway = await startGateway();
  const [few, many] = [await newUser(), await newUser()];
  await gateway.update('connected', ...sessionsAt(few, 20), ...sessionsAt(many, 4000));
  // 500 sessions are one call of the script, during which Redis answers no other call.
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
  assert.deepEqual(
    usersOf((await gateway.update('disconnected', ...sessionsAt(many, 3999))).disconnected),
    [],
  );
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
  await gateway.update('connected', ...sessionsAt(silent, 2000, Date.now() - 200_000));
  await dying.update('connected', ...sessionsAt(orphan, 2000));
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

test('sessions that an earlier version did not count are counted by the next read', async () => {
  const [gateway, stays, leaves, asked] = [
    await startGateway(),
    await newUser(),
    await newUser(),
    await newUser(),
  ];
  const users = [stays, leaves, asked];
  await gateway.update('connected', ...users.flatMap((userId) => sessionsAt(userId, 2)));
  await redis.client.del(users.map((userId) => `user:boots:${userId}`));
  await gateway.update('heartbeats', [stays, `${stays}-0`]);
  assert.deepEqual((await gateway.update('disconnected', [stays, `${stays}-0`])).disconnected, []);
  const { disconnected } = await gateway.update('disconnected', ...sessionsAt(leaves, 2), [
    stays,
    `${stays}-1`,
  ]);
  assert.deepEqual(usersOf(disconnected), [leaves, stays]);
  assert.equal(await isOnline(asked), true);
  const lives = await redis.client.pttl(`user:boots:${asked}`);
  assert.ok(lives > 0 && lives <= 86_400_000, String(lives));
});

test('the clean-up ends silent sessions and those of dead gateways, and announces each user once', async () => {
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

test('a dry run counts the same as a real one, each session and user once, and changes nothing', async () => {
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

test('the clean-up finds users whose going offline was not confirmed', async () => {
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
  // Its flow is late and causes the same event, which consumers skip.
  assert.deepEqual(await confirm(disconnected.filter(({ userId }) => userId === lost)), [lost]);
});

test('a silent session of a live gateway is left to that gateway for a while', async () => {
  const [gateway, silent, longSilent] = [await startGateway(), await newUser(), await newUser()];
  // In this test a session may be silent for 0 s, and a user is declared offline after 0 s.
  await gateway.update(
    'connected',
    [silent, 's', Date.now() - 10_000],
    [longSilent, 'l', Date.now() - 16_000],
  );
  assert.deepEqual((await cleanUpAll({ olderThanMs: 0 })).offline, [longSilent]);
  assert.equal(await isOnline(silent), true);
});
