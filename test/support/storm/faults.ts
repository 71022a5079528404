import { Redis } from 'ioredis';
import type { DoorState } from '../../../scripts/testing/doors/door.ts';
import { eventually } from '../eventually.ts';
import { freeze, kill } from '../servers/outage.ts';
import { isRunning, processesHere } from '../servers/services.ts';
import type { Device } from './device.ts';

/** A fault that tests inject. */
export type Fault = {
  /** `kill logic`, `silence repo-mysql`. */
  name: string;
  /** The process or connection that it affects; a target has at most one fault at a time. */
  target: string;
  lastsMs: number;
  /** Starts the fault. The returned function ends it, and resolves when the target works again. */
  begin(): Promise<() => Promise<void>>;
};

/** The processes that faults can affect; without the servers if they run in Docker. */
export const faultTargets = (): string[] => [
  ...processesHere(),
  ...['database', 'redis', 'kafka', 'temporal'].filter(isRunning),
];

const maxStartMs = 90_000;

/** All faults of this system, with their durations. */
export async function allFaults(devices: readonly Device[]): Promise<Fault[]> {
  const answer = await fetch(doorsUrl());
  const doors = (await answer.json()) as string[];
  return [
    ...faultTargets().map((name) => killed(name)),
    ...faultTargets().map((name) => frozen(name, 20_000)),
    ...doors.flatMap((door) => [
      throughDoor(door, { is: 'shut' }, 10_000),
      throughDoor(door, { is: 'silent' }, 20_000),
      throughDoor(door, { is: 'slow', delayMs: 150 }, 15_000),
    ]),
    flushed(),
    dropped(devices),
  ];
}

/** Kills a process with SIGKILL; its supervisor starts it again. */
export const killed = (name: string): Fault => ({
  name: `kill ${name}`,
  target: name,
  lastsMs: 0,
  async begin() {
    const { replaced } = kill(name);
    return () => eventually(replaced, maxStartMs);
  },
});

/** Suspends a process, which keeps its connections. */
export const frozen = (name: string, lastsMs: number): Fault => ({
  name: `freeze ${name} for ${lastsMs / 1000} s`,
  target: name,
  lastsMs,
  async begin() {
    const { thaw } = freeze(name);
    return async () => thaw();
  },
});

const verbs = { open: 'open', shut: 'shut', silent: 'silence', slow: 'slow down' };

/** Cuts or delays the connection between a process and a server. */
export const throughDoor = (door: string, state: DoorState, lastsMs: number): Fault => ({
  name: `${verbs[state.is]} ${door} for ${lastsMs / 1000} s`,
  target: door,
  lastsMs,
  async begin() {
    await setDoor(door, state);
    return () => setDoor(door, { is: 'open' });
  },
});

/** Deletes all data of Redis. */
export const flushed = (): Fault => ({
  name: 'flush redis',
  target: 'redis',
  lastsMs: 0,
  async begin() {
    // Redis may be restarting at the moment.
    await eventually(() =>
      flushRedis().then(
        () => true,
        () => false,
      ),
    );
    return async () => undefined;
  },
});

/** Half of the clients lose their connection and reconnect at the same time. */
export const dropped = (devices: readonly Device[]): Fault => ({
  name: 'drop every other client',
  target: 'clients',
  lastsMs: 0,
  async begin() {
    for (const [index, device] of devices.entries()) if (index % 2 === 0) device.drop();
    return async () => undefined;
  },
});

/** Sets a door of the system under test. */
export async function setDoor(name: string, state: DoorState): Promise<void> {
  const answer = await fetch(new URL(name, doorsUrl()), { method: 'PUT', body: JSON.stringify(state) });
  if (!answer.ok) throw new Error(`there is no door ${name}`);
}

function doorsUrl(): string {
  const { DOORS_URL } = process.env;
  if (!DOORS_URL) throw new Error('DOORS_URL is not set: run the tests by `npm test`');
  return DOORS_URL;
}

async function flushRedis(): Promise<void> {
  const redis = new Redis(process.env.REDIS_URL ?? '', { connectTimeout: 5000, commandTimeout: 5000 });
  try {
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
}
