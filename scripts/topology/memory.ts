import { totalmem } from 'node:os';

/** What the processes of a system may take of the machine's memory. */
export interface MemorySettings {
  /** The limit of V8's semi-spaces by service, MiB. */
  semiSpace: { storing: number; task: number; others: number };
  /** The JVM's options for the broker. */
  broker: string[];
  /** InnoDB's cache of pages, with its unit. */
  bufferPool: string;
  /** Variables of Go's runtime, for Temporal. */
  temporal: Record<string, string>;
}

/**
 * V8's young generation is three times its semi-space. With the default of 16 MB it would be the larger part of a
 * process's own memory. The garbage of the services is short-lived, so a smaller one is as fast. im-task has four heaps,
 * since each of its three workers has a thread of its own. The JVM's heap begins small and grows with the load; its
 * serial collector takes less memory than the default and, on few cores, less CPU.
 */
const ordinary: MemorySettings = {
  semiSpace: { storing: 8, task: 2, others: 4 },
  broker: ['-Xms32m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:-UsePerfData'],
  bufferPool: '256M',
  temporal: {},
};

/** For a machine of 2 GB: less room for load and caches, and a broker whose code is compiled only quickly. */
const small: MemorySettings = {
  semiSpace: { storing: 2, task: 1, others: 1 },
  broker: ['-Xms32m', '-Xmx160m', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-XX:TieredStopAtLevel=1'],
  bufferPool: '64M',
  temporal: { GOGC: '50' },
};

export const memorySettings = (isSmall: boolean): MemorySettings => (isSmall ? small : ordinary);

/** V8's options for a process: `core`, `gateway-1`. */
export function nodeOptions(name: string, isSmall: boolean): string[] {
  const { storing, task, others } = memorySettings(isSmall).semiSpace;
  const mebibytes = /^(core|repo|logic)/.test(name) ? storing : name === 'task' ? task : others;
  return [`--max-semi-space-size=${mebibytes}`];
}

/**
 * By default glibc keeps freed memory in up to eight arenas per core, and raises the size from which it gives memory back
 * at once.
 */
export const allocatorSettings = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

const smallBelowBytes = 3 * 2 ** 30;

/** True if the machine, or the container or control group that this process is in, has less than 3 GiB. */
export const isSmallMachine = (): boolean =>
  Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY) < smallBelowBytes;
