import { eventually } from '../eventually.ts';
import { killService, runningProcess } from './services.ts';

/** Starting again takes a busy machine a while: the workflows are bundled first. */
const longestStartMs = 90_000;
const services = ['repo', 'logic', 'task', 'pusher', 'gateway-1', 'gateway-2'];

/** Stops a process of the system under test where it stands: it keeps its connections and answers nobody. */
export function freeze(name: string): { thaw(): void } {
  const { pid } = runningProcess(name);
  process.kill(pid, 'SIGSTOP');
  return {
    thaw() {
      // Whoever was killed while frozen is not the one who runs now.
      if (runningProcess(name).pid === pid) process.kill(pid, 'SIGCONT');
    },
  };
}

/** Does something while processes stand still, and lets them go on whatever becomes of it. */
export async function whileFrozen<T>(names: string[], work: () => Promise<T>): Promise<T> {
  const frozen = names.map(freeze);
  try {
    return await work();
  } finally {
    for (const { thaw } of frozen) thaw();
  }
}

/** Lets a process run only a part of the time, over and over: it answers everybody, late. */
export function slow(
  name: string,
  { standsMs, runsMs }: { standsMs: number; runsMs: number },
): { end(): void } {
  let frozen = freeze(name);
  let timer: NodeJS.Timeout;
  const run = () => {
    frozen.thaw();
    timer = setTimeout(stand, runsMs);
  };
  const stand = () => {
    frozen = freeze(name);
    timer = setTimeout(run, standsMs);
  };
  timer = setTimeout(run, standsMs);
  return {
    end() {
      clearTimeout(timer);
      frozen.thaw();
    },
  };
}

/** Kills a process without a chance to clean up. */
export function kill(name: string): {
  /** Whether its supervisor has started another one in its place. */
  replaced(): boolean;
  /** Resolves when the new one runs and the whole system is ready again. */
  recovered(): Promise<void>;
} {
  const { pid } = killService(name);
  const replaced = () => runningProcess(name).pid !== pid;
  return {
    replaced,
    async recovered() {
      await eventually(replaced, longestStartMs);
      await everythingReady();
    },
  };
}

/** Resolves when every service says that it can do its work. */
export async function everythingReady(): Promise<void> {
  for (const service of services) await eventually(() => isReady(service), longestStartMs);
}

async function isReady(service: string): Promise<boolean> {
  const url = process.env[`${service.toUpperCase().replaceAll('-', '_')}_METRICS_URL`];
  if (!url)
    throw new Error(`where ${service} shows its metrics is not set: run the tests by \`npm run test:fault\``);
  try {
    const answer = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(3000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
