import { eventually } from '../eventually.ts';
import { killService, runningProcess } from './services.ts';

/** A restart is slow on a busy machine, since task bundles the workflows first. */
const maxStartMs = 90_000;
const services = ['repo', 'logic', 'task', 'pusher', 'gateway-1', 'gateway-2'];

/** Suspends a process of the system under test (SIGSTOP): it keeps its connections and answers no request. */
export function freeze(name: string): { thaw(): void } {
  const { pid } = runningProcess(name);
  process.kill(pid, 'SIGSTOP');
  return {
    thaw() {
      // If the frozen process was killed, another one has its name now.
      if (runningProcess(name).pid === pid) process.kill(pid, 'SIGCONT');
    },
  };
}

/** Runs `work` while processes are suspended; resumes them afterwards, also after an error. */
export async function whileFrozen<T>(names: string[], work: () => Promise<T>): Promise<T> {
  const frozen = names.map(freeze);
  try {
    return await work();
  } finally {
    for (const { thaw } of frozen) thaw();
  }
}

/** Suspends a process again and again for a part of the time: it answers all requests, but late. */
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

/** Kills a process with SIGKILL. */
export function kill(name: string): {
  /** True if its supervisor has started another process in its place. */
  replaced(): boolean;
  /** Resolves when the new process runs and all services are ready again. */
  recovered(): Promise<void>;
} {
  const { pid } = killService(name);
  const replaced = () => runningProcess(name).pid !== pid;
  return {
    replaced,
    async recovered() {
      await eventually(replaced, maxStartMs);
      await everythingReady();
    },
  };
}

/** Resolves when every service is ready. */
export async function everythingReady(): Promise<void> {
  for (const service of services) await eventually(() => isReady(service), maxStartMs);
}

async function isReady(service: string): Promise<boolean> {
  const url = process.env[`${service.toUpperCase().replaceAll('-', '_')}_METRICS_URL`];
  if (!url)
    throw new Error(
      `the address of ${service}'s metrics is not set: run the tests by \`npm run test:fault\``,
    );
  try {
    const answer = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(3000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
