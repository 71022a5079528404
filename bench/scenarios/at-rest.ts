import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../laboratory/laboratory.ts';
import { figure, figuresOnly, systemCores } from '../steps/steps.ts';
import { isLoad, machineName, proportionalBytes, secondsSinceStart } from '../system/usage.ts';

/** Memory is read this long after the start, when V8 and the JVM have collected the garbage of the start. */
const memoryAfterSeconds = 60;

/** The cost of an idle system: the duration of its start, its memory, and its CPU time. */
export const atRest: Scenario = {
  name: 'at-rest',
  title: 'At rest',
  unheated: true,
  async run({ options, system, say, measure }, report) {
    const { home, start } = system;
    if (start !== undefined) {
      report.step({
        label: 'start',
        figures: [
          figure('ready', start.seconds, 's', 'lower'),
          ...start.parts.map(({ title, seconds }) => figure(title, seconds, 's', 'lower')),
        ],
        ...figuresOnly,
      });
    }

    await untilAge(home, memoryAfterSeconds, say);
    const memory = proportionalBytes(home);
    if (memory.length === 0) throw new Error(`no process is named in the run.json of ${home}`);
    const total = memory.reduce((sum, { bytes }) => sum + bytes, 0);
    report.step({
      label: 'memory',
      figures: [
        figure('all processes', total / 2 ** 20, 'MiB', 'lower'),
        ...memory.map(({ name, bytes }) => figure(name, bytes / 2 ** 20, 'MiB', 'lower')),
      ],
      ...figuresOnly,
    });

    await untilAge(home, options.idleAfter, say);
    say(`Measuring CPU time for ${options.idle} s`);
    const { usage } = await measure(() => sleep(options.idle * 1000));
    const ours = usage.filter(({ name }) => !isLoad(name) && name !== machineName);
    report.step({
      label: `idle for ${options.idle} s`,
      figures: [
        figure('all processes', systemCores(usage) * 100, '% of a core', 'lower'),
        ...ours
          .toSorted((a, b) => b.cores - a.cores)
          .map(({ name, cores }) => figure(name, cores * 100, '% of a core', 'lower')),
      ],
      ...figuresOnly,
      usage,
    });
  },
};

/** Resolves when the youngest process of the system is that old. */
async function untilAge(home: string, seconds: number, say: (text: string) => void): Promise<void> {
  const left = seconds - secondsSinceStart(home);
  if (left <= 0) return;
  say(`Waiting for ${Math.ceil(left)} s, until the system has run for ${seconds} s`);
  await sleep(left * 1000);
}
