import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanupExpiredStatusSchedule } from '../../workflows/cleanup-expired-status/contract.ts';
import { eventually } from '../support/eventually.ts';
import { pause } from '../support/pause.ts';
import { connectAll, keepAlive, newGuests } from '../support/people/guests.ts';
import { chat, gateway2Url, gatewayUrl, newFriends } from '../support/people/people.ts';
import { watchPresence } from '../support/people/presence-watchers.ts';
import { killService, runningProcess } from '../support/servers/services.ts';
import { openSystemParts } from '../support/system-parts.ts';
import { openSystemTemporal } from '../support/system-temporal.ts';

const confirmMs = Number(process.env.OFFLINE_CONFIRM_MS ?? 30_000);
/** How long after a flush of Redis nobody is declared offline. */
const healMs = 75_000;

const client = await openSystemTemporal();
const { repo } = openSystemParts();

async function flowsSince(workflowType: string, since: Date, status = ''): Promise<number> {
  const of = `WorkflowType = "${workflowType}" AND StartTime >= "${since.toISOString()}"`;
  const { count } = await client.workflow.count(status ? `${of} AND ExecutionStatus = "${status}"` : of);
  return count;
}

test('two thousand sockets that close at once cost at most ten flows, and friends are notified once', {
  timeout: 600_000,
}, async () => {
  const users = await newGuests(2000);
  const watchers = await watchPresence(
    repo,
    users.filter((_, index) => index % 10 === 0),
    4,
  );
  const sockets = [
    ...(await connectAll(users.slice(0, 1000), gatewayUrl)),
    ...(await connectAll(users.slice(1000), gateway2Url)),
  ];
  await watchers.all('online', 1, 30_000);

  const since = new Date();
  await Promise.all(sockets.map((socket) => socket.close()));
  // In the first 75 s of an empty Redis nobody is declared offline.
  await watchers.all('offline', 1, confirmMs + 90_000);
  console.log(`2,000 dropped: all were told of ${Date.now() - since.getTime()} ms later`);
  await eventually(async () => (await flowsSince('confirmOffline', since, 'Completed')) > 0);
  const flows = await flowsSince('confirmOffline', since);
  console.log(`2,000 dropped: ${flows} flows`);
  assert.ok(flows <= 10, `${flows} flows`);
  await eventually(async () => (await flowsSince('confirmOffline', since, 'Running')) === 0);
  await watchers.settled();
  assert.deepEqual(new Set(watchers.noticesOf('offline').values()), new Set([1]));
  await watchers.close();
});

test('users who disconnect and return in time are announced neither as offline nor as online', {
  timeout: 120_000,
}, async () => {
  const users = await newGuests(100);
  const watchers = await watchPresence(repo, users, 1);
  const sockets = await connectAll(users, gatewayUrl);
  await watchers.all('online', 1, 30_000);
  const since = new Date();
  await Promise.all(sockets.map((socket) => socket.close()));
  const back = await connectAll(users, gateway2Url);
  assert.ok(Date.now() - since.getTime() < confirmMs, 'they were not back in time');
  await eventually(async () => (await flowsSince('confirmOffline', since, 'Completed')) > 0, 60_000);
  await eventually(async () => (await flowsSince('confirmOffline', since, 'Running')) === 0, 60_000);
  await watchers.settled();
  assert.equal(watchers.noticesOf('offline').size, 0);
  assert.deepEqual(new Set(watchers.noticesOf('online').values()), new Set([1]));
  await Promise.all(back.map((socket) => socket.close()));
  await watchers.close();
});

test('when a gateway with five hundred sessions is killed, all their friends see them go, once', {
  timeout: 300_000,
}, async () => {
  const users = await newGuests(500);
  const watchers = await watchPresence(repo, users, 5);
  await connectAll(users, gatewayUrl);
  await watchers.all('online', 1, 30_000);
  const { pid } = killService('gateway-1');
  const killedAt = Date.now();
  await watchers.all('offline', 1, 10_000 + confirmMs + 90_000);
  console.log(`a gateway with 500 sessions killed: all were told of ${Date.now() - killedAt} ms later`);

  const since = new Date();
  await client.schedule.getHandle(cleanupExpiredStatusSchedule).trigger();
  await eventually(async () => (await flowsSince('cleanupExpiredStatus', since, 'Completed')) > 0, 30_000);
  await watchers.settled();
  assert.deepEqual(new Set(watchers.noticesOf('offline').values()), new Set([1]));
  await watchers.close();
  await eventually(() => runningProcess('gateway-1').pid !== pid, 30_000);
  await eventually(isReady, 30_000);
});

async function isReady(): Promise<boolean> {
  return fetch(new URL('/readyz', gatewayUrl)).then(
    ({ ok }) => ok,
    () => false,
  );
}

for (const [server, withinMs] of [
  // A server that is just too late for an attempt is met by the next one, up to 30 s later.
  ['task', confirmMs + 60_000],
  ['repo', confirmMs + 60_000],
  ['temporal', confirmMs + 60_000],
  ['redis', confirmMs + healMs + 60_000],
] as const) {
  test(`a user’s going offline is announced once, also if ${server} is killed during the wait`, {
    timeout: 240_000,
  }, async () => {
    const { ann, bob } = await newFriends();
    const [bobChat, annChat] = [keepAlive(await chat(bob, gateway2Url)), await chat(ann)];
    const ofAnn = (status: string) =>
      bobChat.all('online-status').filter((data) => data.userId === ann.id && data.status === status).length;
    await eventually(() => ofAnn('online') === 1);
    const since = new Date();
    await annChat.close();
    await eventually(async () => (await flowsSince('confirmOffline', since)) > 0);
    const { pid } = killService(server);
    await eventually(() => ofAnn('offline') > 0, withinMs);
    console.log(`${server} killed: told ${Date.now() - since.getTime()} ms after the leaving`);
    await eventually(() => runningProcess(server).pid !== pid, 30_000);
    await eventually(async () => (await runningFlows(since)) === 0, 60_000);
    await bobChat.settled();
    assert.deepEqual([ofAnn('online'), ofAnn('offline')], [1, 1]);
    await bobChat.close();
  });
}

const runningFlows = (since: Date) => flowsSince('confirmOffline', since, 'Running').catch(() => -1);

test('disconnects while Temporal is frozen wait in Kafka, and are announced when it continues', {
  timeout: 120_000,
}, async () => {
  const { ann, bob } = await newFriends();
  const [bobChat, annChat] = [keepAlive(await chat(bob, gateway2Url)), await chat(ann)];
  await bobChat.expect('online-status', (data) => data.userId === ann.id);
  const { pid } = runningProcess('temporal');
  process.kill(pid, 'SIGSTOP');
  try {
    await annChat.close();
    // Longer than a call to Temporal waits for its answer.
    await pause(Math.max(12_000, confirmMs));
    assert.equal(bobChat.all('online-status').filter(({ status }) => status === 'offline').length, 0);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await eventually(() => bobChat.all('online-status').some(({ status }) => status === 'offline'), 30_000);
  await bobChat.settled();
  assert.equal(bobChat.all('online-status').filter(({ status }) => status === 'offline').length, 1);
  await bobChat.close();
});
