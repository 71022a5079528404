import { readFileSync } from 'node:fs';
import { readRunFile } from '../../scripts/process/run-file.ts';

/** The resources that a process used during a measurement. */
export type ProcessUsage = {
  name: string;
  /** The mean number of cores in use: 1 is one core all the time. */
  cores: number;
  /** Resident memory in bytes: at the start, the maximum, and at the end. */
  startRss: number;
  peakRss: number;
  rss: number;
};

export type UsageWatch = { stop(): ProcessUsage[] };

/** The name of the whole machine: all processes, including those that are not GoChat's. */
export const machineName = 'machine';

/** True for the processes that create load or measure. */
export const isLoad = (name: string): boolean => name.startsWith('load-') || name === 'coordinator';

const ticksPerSecond = 100;
const pageBytes = 4096;
const sampleMs = 500;

type Watched = {
  name: string;
  pid: number;
  ticksAtStart: number;
  ticks: number;
  startRss: number;
  rss: number;
  peakRss: number;
};

/**
 * Watches the system's services and servers, whose pids are in run.json in its folder, and the given processes.
 * Without /proc or without run.json the result is empty.
 */
export function watchUsage(home: string, others: Record<string, number>): UsageWatch {
  const startedAt = performance.now();
  const busyAtStart = machineBusyTicks();
  const watched = Object.entries({ ...systemPids(home), ...others }).flatMap(([name, pid]): Watched[] => {
    const now = readProcess(pid);
    return now
      ? [
          {
            name,
            pid,
            ticksAtStart: now.ticks,
            ticks: now.ticks,
            startRss: now.rss,
            rss: now.rss,
            peakRss: now.rss,
          },
        ]
      : [];
  });
  const sample = () => {
    for (const one of watched) {
      const now = readProcess(one.pid);
      if (!now) continue;
      one.ticks = now.ticks;
      one.rss = now.rss;
      one.peakRss = Math.max(one.peakRss, now.rss);
    }
  };
  const timer = setInterval(sample, sampleMs);

  return {
    stop() {
      clearInterval(timer);
      sample();
      const seconds = (performance.now() - startedAt) / 1000;
      const machine = {
        name: machineName,
        cores: (machineBusyTicks() - busyAtStart) / ticksPerSecond / seconds,
        startRss: 0,
        peakRss: 0,
        rss: 0,
      };
      return [
        ...watched.map(({ name, ticks, ticksAtStart, startRss, rss, peakRss }) => ({
          name,
          cores: (ticks - ticksAtStart) / ticksPerSecond / seconds,
          startRss,
          rss,
          peakRss,
        })),
        machine,
      ];
    },
  };
}

/** The current resident bytes of the system's processes with a matching name. */
export function residentBytes(home: string, fits: (name: string) => boolean): number {
  return Object.entries(systemPids(home))
    .filter(([name]) => fits(name))
    .reduce((sum, [, pid]) => sum + (readProcess(pid)?.rss ?? 0), 0);
}

/** The memory of each of the system's processes; of what several share, each has its part (PSS). */
export function proportionalBytes(home: string): { name: string; bytes: number }[] {
  return Object.entries(systemPids(home))
    .map(([name, pid]) => ({ name, bytes: proportionalBytesOf(pid) }))
    .sort((a, b) => b.bytes - a.bytes);
}

function proportionalBytesOf(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Seconds since the start of the system's youngest process. */
export function secondsSinceStart(home: string): number {
  const up = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  const starts = Object.values(systemPids(home)).map((pid) => readProcess(pid)?.startedAt ?? 0);
  return up - Math.max(0, ...starts);
}

/** The pids in run.json, without this process, which is the supervisor if the benchmark has started the system. */
function systemPids(home: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(readRunFile(home))
      .map(([name, { pid }]): [string, number] => [name, pid])
      .filter(([, pid]) => pid !== process.pid),
  );
}

/** `startedAt`: seconds after the start of the machine. */
function readProcess(pid: number): { ticks: number; rss: number; startedAt: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 2 is the command in brackets, which may itself contain spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      ticks: Number(fields[11]) + Number(fields[12]),
      rss: Number(fields[21]) * pageBytes,
      startedAt: Number(fields[19]) / ticksPerSecond,
    };
  } catch {
    return undefined;
  }
}

/** The user, nice, system, interrupt and stolen time of all cores, in ticks. */
function machineBusyTicks(): number {
  try {
    const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync(
      '/proc/stat',
      'utf8',
    )
      .slice(0, 200)
      .split('\n', 1)
      .join('')
      .split(/ +/)
      .map(Number);
    return user + nice + system + irq + softirq + steal;
  } catch {
    return 0;
  }
}
