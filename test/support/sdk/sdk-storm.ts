import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, type Random } from '../../../bench/measure/random.ts';
import { type Door, openDoor } from '../../../scripts/testing/doors/door.ts';
import { eventually } from '../eventually.ts';
import { pause } from '../pause.ts';
import { befriend, gatewayUrl, newGroup, newPeople, type Person } from '../people/people.ts';
import { freePort } from '../servers/free-port.ts';
import type { Findings } from '../storm/records/findings.ts';
import type { Order } from './actor.ts';
import { createDevice, type Device } from './device.ts';
import { compareWithServer } from './ledger.ts';

export interface SdkStorm {
  seed: number;
  forMs: number;
  clients: number;
  /** Disturbs the server while the clients talk, until the signal is aborted. */
  disturb?: (random: Random, signal: AbortSignal) => Promise<void>;
}

/**
 * Clients of the SDK talk through a network that cuts, freezes, delays, repeats and reorders. They are killed and started
 * again with what they stored, while a group takes members in and puts them out. At the end they are compared with the
 * server.
 */
export async function runSdkStorm({
  seed,
  forMs,
  clients,
  disturb,
}: SdkStorm): Promise<{ findings: Findings; summary: string }> {
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'gochat-sdk-storm-'));
  const port = await freePort();
  const door = await openDoor({ port, target: Number(new URL(gatewayUrl).port) });
  const people = await newPeople(clients);
  const [owner = await Promise.reject(new Error('a storm needs clients')), ...others] = people;
  const stable = [
    await newGroup(owner, others, 'everybody'),
    await newGroup(owner, others.slice(0, 3), 'a few'),
    ...(await Promise.all(pairsOf(people).map(([a, b]) => befriend(a, b)))),
  ];
  const changing = await newGroup(owner, others, 'comes and goes');
  const rooms = new Map<Person, string[]>();
  for (const person of people) rooms.set(person, [changing, ...(await roomsOf(person, stable))]);
  const devices = people.map((person, n) =>
    createDevice({
      person,
      url: `http://127.0.0.1:${port}`,
      seed: seed + n,
      file: n % 2 === 0 ? join(folder, person.id) : undefined,
    }),
  );
  try {
    // What was said before a client's first sync is history to it.
    await eventually(async () => (await Promise.all(devices.map(isOnline))).every(Boolean), 60_000, 200);
    const over = new AbortController();
    const until = Date.now() + forMs;
    const isOn = () => Date.now() < until;
    const talking = devices.map((device) => talk(device, rooms.get(device.person) ?? [], random, isOn));
    const disturbing = disturb?.(random, over.signal);
    await Promise.all([
      trouble(door, random, isOn),
      comeAndGo(owner, others, changing, random, isOn),
      ...talking,
    ]);
    over.abort();
    await disturbing;
    door.set({ is: 'open' });
    await Promise.all(devices.map((device) => device.obey({ do: 'behave', bad: false })));
    const findings = await compareWithServer(devices, new Set([changing]));
    return { findings, summary: summaryOf(seed, devices) };
  } finally {
    await Promise.all(devices.map((device) => device.close()));
    await door.close();
    rmSync(folder, { recursive: true });
  }
}

const isOnline = async (device: Device) => (await device.picture()).state === 'online';

/** Each and the next one. */
const pairsOf = (people: readonly Person[]): [Person, Person][] =>
  people.flatMap((one, n): [Person, Person][] => {
    const next = people[n + 1];
    return next ? [[one, next]] : [];
  });

async function roomsOf(person: Person, stable: readonly string[]): Promise<string[]> {
  const { conversations } = await person.rest.get<{ conversations: { id: string }[] }>('/conversations');
  const own = new Set(conversations.map(({ id }) => id));
  return stable.filter((id) => own.has(id));
}

async function talk(
  device: Device,
  rooms: readonly string[],
  random: Random,
  isOn: () => boolean,
): Promise<void> {
  for (let n = 1; isOn(); n += 1) {
    await device.obey(orderOf(random, random.pick(rooms), n));
    if (random.next() < 0.015) await device.restart();
    await pause(random.between(30, 300));
  }
}

function orderOf(random: Random, conversationId: string, n: number): Order {
  const dice = random.next();
  if (dice < 0.6) return { do: 'send', conversationId, text: `message ${n}` };
  if (dice < 0.7) return { do: 'read', conversationId };
  if (dice < 0.78) return { do: 'edit', conversationId };
  if (dice < 0.82) return { do: 'recall', conversationId };
  if (dice < 0.92) return { do: 'react', conversationId, emoji: random.pick(['👍', '❤️', '😂']) };
  if (dice < 0.96) return { do: 'draft', conversationId, text: `draft ${n}` };
  return { do: 'type', conversationId };
}

async function trouble(door: Door, random: Random, isOn: () => boolean): Promise<void> {
  while (isOn()) {
    door.set(
      random.pick([{ is: 'shut' }, { is: 'silent' }, { is: 'slow', delayMs: 120 }, { is: 'open' }] as const),
    );
    await pause(random.between(100, 900));
    door.set({ is: 'open' });
    await pause(random.between(300, 1200));
  }
}

/** The owner puts members out and takes them in again. */
async function comeAndGo(
  owner: Person,
  others: readonly Person[],
  groupId: string,
  random: Random,
  isOn: () => boolean,
): Promise<void> {
  while (isOn()) {
    const { id } = random.pick(others);
    // While the server is disturbed it may refuse; the next round tries another one.
    await owner.rest.delete(`/conversations/${groupId}/members/${id}`).catch(() => {});
    await pause(random.between(200, 1500));
    await owner.rest.post(`/conversations/${groupId}/members`, { userIds: [id] }).catch(() => {});
    await pause(random.between(200, 1500));
  }
}

function summaryOf(seed: number, devices: readonly Device[]): string {
  const count = (of: (device: Device) => number) => devices.reduce((sum, device) => sum + of(device), 0);
  const sizes = (all: ReadonlyMap<string, readonly unknown[]>) =>
    [...all.values()].reduce((sum, { length }) => sum + length, 0);
  return `seed ${seed}: ${devices.length} clients, ${count(({ saved }) => sizes(saved))} messages sent, ${count(({ told }) => sizes(told))} told, ${count(({ refused }) => refused.size)} refused, ${count(({ crashes }) => crashes)} crashes`;
}
