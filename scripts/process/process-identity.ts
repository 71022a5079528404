import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { output } from './program.ts';

/**
 * Identifies a process even after its parent has died. The kernel may have given the pid alone to another process by
 * then, but never the same pid with the same start time.
 */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
}

/** The identity of a running process; undefined if there is none, or only a zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = process.platform === 'linux' ? linuxStartTime(pid) : await psStartTime(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export async function isAlive(known: ProcessIdentity): Promise<boolean> {
  return (await identify(known.pid))?.startedAt === known.startedAt;
}

/** Ends the process if it still runs: sends SIGTERM, and SIGKILL after `withinMs`. */
export async function terminate(known: ProcessIdentity, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  if (await isAlive(known)) signal(known.pid, 'SIGTERM');
  while (await isAlive(known)) {
    if (Date.now() > deadline) signal(known.pid, 'SIGKILL');
    await sleep(50);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process ended between the check and the signal.
  }
}

function linuxStartTime(pid: number): string | undefined {
  try {
    // Field 2 is the command in brackets, which may itself contain spaces and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    if (state === 'Z' || ticks === undefined) return undefined;
    return `${bootId()}/${ticks}`;
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

async function psStartTime(pid: number): Promise<string | undefined> {
  const { code, stdout } = await output('ps', ['-o', 'lstart=', '-p', String(pid)]);
  return code === 0 ? stdout.trim() : undefined;
}
