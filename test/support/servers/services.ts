// Room: processes and servers that tests stop, freeze and start. No assertions may come in.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Process = { pid: number; restarts: number };

/** A process of the system under test: one of `processesHere`, or a server. */
export function runningProcess(name: string): Process {
  const home = process.env.GOCHAT_HOME ?? '.gochat';
  const run: Record<string, Process> = JSON.parse(readFileSync(join(home, 'run.json'), 'utf8'));
  const found = run[name];
  if (!found) throw new Error(`${name} is not among the running processes`);
  return found;
}

/** True if a process of that name belongs to the system under test. */
export function isRunning(name: string): boolean {
  try {
    return runningProcess(name).pid > 0;
  } catch {
    return false;
  }
}

/** The services' processes: `core`, or `repo` and `logic` if they are separate processes, and the others. */
export const processesHere = (): string[] =>
  ['core', 'repo', 'logic', 'task', 'pusher', 'gateway-1', 'gateway-2'].filter(isRunning);

/** Kills a process of the system under test with SIGKILL; its supervisor starts it again. */
export function killService(name: string): Process {
  const found = runningProcess(name);
  process.kill(found.pid, 'SIGKILL');
  return found;
}
