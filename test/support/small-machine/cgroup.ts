// Room: a machine as small as a test wants it, and what a system takes of it. No assertions may come in.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';

/** A control group of the kernel: its processes, and those that they start, share limits of memory and CPU time. */
export type Cgroup = {
  /** The files that take the pid of a process that is to be in the group. */
  entrances: string[];
  /** Bytes in use that the kernel cannot take back, unlike cached files. */
  held(): number;
  /** How many of its processes the kernel has killed for want of memory. */
  killed(): number;
  /** Removes the group after its last process has ended. */
  remove(): Promise<void>;
};

export type Limits = { memoryBytes: number; cores: number };

const periodMicros = 100_000;

/** Undefined if this user or this machine allows none; it takes root, and cgroups of version 1 or 2. */
export function createCgroup(name: string, limits: Limits): Cgroup | undefined {
  try {
    return existsSync('/sys/fs/cgroup/cgroup.controllers') ? version2(name, limits) : version1(name, limits);
  } catch {
    return undefined;
  }
}

function version2(name: string, { memoryBytes, cores }: Limits): Cgroup {
  writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+memory +cpu');
  const group = folder('/sys/fs/cgroup', name);
  group.write('memory.max', memoryBytes);
  if (group.has('memory.swap.max')) group.write('memory.swap.max', 0);
  group.write('cpu.max', `${cores * periodMicros} ${periodMicros}`);
  return {
    entrances: [group.path('cgroup.procs')],
    held: () => group.number('memory.stat', 'anon') + group.number('memory.stat', 'kernel'),
    killed: () => group.number('memory.events', 'oom_kill'),
    remove: group.remove,
  };
}

function version1(name: string, { memoryBytes, cores }: Limits): Cgroup {
  const memory = folder('/sys/fs/cgroup/memory', name);
  memory.write('memory.limit_in_bytes', memoryBytes);
  // Memory and swap together, where the kernel counts swap.
  if (memory.has('memory.memsw.limit_in_bytes')) memory.write('memory.memsw.limit_in_bytes', memoryBytes);
  const cpu = folder('/sys/fs/cgroup/cpu', name);
  cpu.write('cpu.cfs_period_us', periodMicros);
  cpu.write('cpu.cfs_quota_us', cores * periodMicros);
  return {
    entrances: [memory.path('cgroup.procs'), cpu.path('cgroup.procs')],
    held: () => memory.number('memory.stat', 'total_rss') + memory.number('memory.kmem.usage_in_bytes'),
    killed: () => memory.number('memory.oom_control', 'oom_kill'),
    async remove() {
      await Promise.all([memory.remove(), cpu.remove()]);
    },
  };
}

function folder(parent: string, name: string) {
  const at = join(parent, name);
  mkdirSync(at);
  const path = (file: string) => join(at, file);
  return {
    path,
    has: (file: string) => existsSync(path(file)),
    write: (file: string, value: string | number) => writeFileSync(path(file), String(value)),
    /** The number in a file, or behind a key in a file with lines of key and value. */
    number(file: string, key = ''): number {
      const found = new RegExp(`^${key} ?(\\d+)$`, 'm').exec(readFileSync(path(file), 'utf8'));
      return Number(found?.[1] ?? 0);
    },
    remove: () =>
      eventually(() => {
        try {
          rmdirSync(at);
          return true;
        } catch {
          return !existsSync(at);
        }
      }),
  };
}
