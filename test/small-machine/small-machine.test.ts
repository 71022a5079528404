import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRest, type Session } from '../../clients/sdk/rest.ts';
import { openSocket } from '../../clients/sdk/socket.ts';
import { homesWithin } from '../../scripts/topology/home.ts';
import { mapConcurrently } from '../support/map-concurrently.ts';
import { keepAlive } from '../support/people/guests.ts';
import { befriend, type Chat, chat, newPerson } from '../support/people/people.ts';
import { createCgroup } from '../support/small-machine/cgroup.ts';
import { type MemorySample, memoryPlot } from '../support/small-machine/memory-plot.ts';
import { type ConfinedSystem, startConfined } from '../support/small-machine/start.ts';

const memoryBytes = 2 * 2 ** 30;
const mebibyte = 2 ** 20;
/** `--minutes`. */
const minutes = Number(process.env.STORM_MINUTES ?? 5);
const idleSockets = 500;
const pairs = 25;
const sendsPerSecond = 50;
const sampleMs = 5000;

const folder = resolve('.gochat', homesWithin.smallMachine);

test(`with 1 core and 2 GiB, 500 idle sockets and 50 sends per second for ${minutes} minutes are borne`, {
  timeout: (minutes + 10) * 60_000,
}, async (t) => {
  const cgroup = createCgroup(`gochat-small-machine-${process.pid}`, { memoryBytes, cores: 1 });
  if (cgroup === undefined) return t.skip('it takes root and a control group of its own');
  let system: ConfinedSystem | undefined;
  t.after(async () => {
    await system?.stop();
    await cgroup.remove();
  });
  system = await startConfined(folder, cgroup);
  const { url, processes } = system;
  const atStart = processes();

  const guests = await mapConcurrently(
    Array.from({ length: idleSockets }),
    () => createRest(url).post<Session>('/auth/guest'),
    10,
  );
  let closed = 0;
  await mapConcurrently(
    guests,
    async ({ accessToken }) => {
      const socket = keepAlive(await openSocket(url, accessToken, () => undefined));
      void socket.closed.then(() => (closed += 1));
    },
    10,
  );
  const talks = await mapConcurrently(Array.from({ length: pairs }), () => newPair(url), 2);

  const samples: MemorySample[] = [];
  const from = performance.now();
  const sample = () => {
    const seconds = (performance.now() - from) / 1000;
    const shares = processes().map(({ name, bytes }) => [name, bytes / mebibyte]);
    samples.push({
      seconds,
      values: { 'held by all': cgroup.held() / mebibyte, ...Object.fromEntries(shares) },
    });
  };
  sample();
  const sampling = setInterval(sample, sampleMs);
  const { sent, failed, latencies } = await sendSteadily(talks, minutes * 60_000);
  clearInterval(sampling);
  sample();

  const plot = resolve(folder, 'memory.svg');
  writeFileSync(plot, memoryPlot(samples, memoryBytes / mebibyte));
  const percentile = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  const most = Math.max(...samples.map(({ values }) => values['held by all'] ?? 0));
  t.diagnostic(
    `${sent} sends, acknowledged in ${percentile(0.5).toFixed(0)} / ${percentile(0.99).toFixed(0)} ms (p50 / p99); at most ${most.toFixed(0)} MiB held; ${plot} has the curves`,
  );

  assert.deepEqual(failed, []);
  assert.ok(sent >= 0.98 * sendsPerSecond * minutes * 60, `only ${sent} messages were sent`);
  assert.equal(closed, 0, 'idle sockets that were closed');
  assert.equal(cgroup.killed(), 0, 'processes that the kernel killed');
  const identities = (all: typeof atStart) => all.map(({ name, pid, restarts }) => ({ name, pid, restarts }));
  assert.deepEqual(identities(processes()), identities(atStart), 'a process was restarted');
});

type Talk = { conversationId: string; sockets: [Chat, Chat] };

async function newPair(url: string): Promise<Talk> {
  const [ann, bob] = [await newPerson('ann', url), await newPerson('bob', url)];
  const conversationId = await befriend(ann, bob);
  return { conversationId, sockets: [await chat(ann, url), await chat(bob, url)] };
}

/** Sends at a steady rate, whatever the earlier messages take; each pair in turn, both of a pair in turn. */
async function sendSteadily(talks: readonly Talk[], forMs: number) {
  const latencies: number[] = [];
  const failed: string[] = [];
  const open = new Set<Promise<void>>();
  const from = performance.now();
  let sent = 0;

  async function send(n: number, dueAt: number): Promise<void> {
    const { conversationId, sockets } = talks[n % talks.length] as Talk;
    const socket = sockets[Math.floor(n / talks.length) % 2] as Chat;
    try {
      await socket.say(conversationId, `message ${n} of a long day`);
      latencies.push(performance.now() - dueAt);
    } catch (error) {
      failed.push((error as Error).message.slice(0, 200));
    }
    // Every frame is kept for assertions, of which this test makes none.
    socket.frames.length = 0;
  }

  for (;;) {
    const dueAt = from + (sent * 1000) / sendsPerSecond;
    if (dueAt - from >= forMs || failed.length > 20) break;
    const early = dueAt - performance.now();
    if (early > 0) await sleep(early);
    const sending = send(sent, dueAt).finally(() => open.delete(sending));
    open.add(sending);
    sent += 1;
  }
  await Promise.all(open);
  return { sent, failed, latencies: latencies.sort((a, b) => a - b) };
}
