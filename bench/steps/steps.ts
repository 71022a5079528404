// Room: the report of one step of a scenario. No code that runs a load may come in.

import type { Measured } from '../laboratory/laboratory.ts';
import type { Outcome } from '../laboratory/load-clients.ts';
import type { RestReport } from '../load/commands.ts';
import { createHistogram, type HistogramData } from '../measure/histogram.ts';
import { type Figure, milliseconds, type Step } from '../report/result.ts';
import { isLoad, machineName, type ProcessUsage } from '../system/usage.ts';
import { pathFigures } from './message-path.ts';

/** Above this the load processes were too slow for their schedule, and the latencies do not describe the system. */
const tolerableLatenessMicros = 20_000;

/** The usual percentiles of a latency. */
export function latencyFigures(name: string, data: HistogramData): Figure[] {
  const histogram = createHistogram(data);
  const figure = (which: string, micros: number): Figure => ({
    name: `${name} ${which}`,
    value: milliseconds(micros),
    unit: 'ms',
    better: 'lower',
  });
  return [
    figure('p50', histogram.percentile(0.5)),
    figure('p99', histogram.percentile(0.99)),
    figure('p99.9', histogram.percentile(0.999)),
    figure('max', data.max),
  ];
}

export const figure = (name: string, value: number, unit: string, better: Figure['better']): Figure => ({
  name,
  value: Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 1000) / 1000,
  unit,
  better,
});

/** The other parts of a step that has only figures. */
export const figuresOnly = { latencies: [], usage: [], stages: [], notes: [] } satisfies Partial<Step>;

/** The step of a measured message phase. */
export function messageStep(label: string, measured: Measured<Outcome>, more: Figure[] = []): Step {
  const { value: outcome, usage, stages, seconds } = measured;
  const refused = Object.values(outcome.refused).reduce((sum, times) => sum + times, 0);
  const latencies = [
    { name: 'ack', data: outcome.ack },
    { name: 'delivery', data: outcome.delivery },
  ];
  return {
    label,
    figures: [
      ...more,
      figure('acknowledged', outcome.acknowledgedPerSecond, '/s', 'higher'),
      figure('delivered', outcome.deliveredPerSecond, '/s', 'higher'),
      figure('refused', refused, '', 'lower'),
      ...latencies.flatMap(({ name, data }) => latencyFigures(name, data)),
      figure(
        'CPU per message',
        (systemCores(usage) * seconds * 1000) / Math.max(1, outcome.acknowledged),
        'ms',
        'lower',
      ),
      figure(
        'load CPU per message',
        (loadCores(usage) * seconds * 1000) / Math.max(1, outcome.acknowledged),
        'ms',
        'lower',
      ),
      ...pathFigures(stages),
    ],
    latencies,
    usage,
    stages,
    notes: notesOf(outcome),
  };
}

/** The step of a measured phase of REST calls. */
export function restStep(label: string, measured: Measured<RestReport & { callsPerSecond: number }>): Step {
  const { value, usage, stages, seconds } = measured;
  return {
    label,
    figures: [
      figure('answered', value.callsPerSecond, '/s', 'higher'),
      ...latencyFigures('answer', value.latency),
      figure('answer size', value.bytes / Math.max(1, value.answered) / 1024, 'KiB', 'neither'),
      figure(
        'CPU per call',
        (systemCores(usage) * seconds * 1000) / Math.max(1, value.answered),
        'ms',
        'lower',
      ),
    ],
    latencies: [{ name: 'answer', data: value.latency }],
    usage,
    stages,
    notes: [],
  };
}

/** The cores that the services and servers used, without the load processes. */
export function systemCores(usage: readonly ProcessUsage[]): number {
  return usage
    .filter(({ name }) => !isLoad(name) && name !== machineName)
    .reduce((sum, { cores }) => sum + cores, 0);
}

/** The cores that the load processes used. */
const loadCores = (usage: readonly ProcessUsage[]): number =>
  usage.filter(({ name }) => isLoad(name)).reduce((sum, { cores }) => sum + cores, 0);

export function p99(data: HistogramData): number {
  return milliseconds(createHistogram(data).percentile(0.99));
}

export function p50(data: HistogramData): number {
  return milliseconds(createHistogram(data).percentile(0.5));
}

function notesOf({ refused, unanswered, lateness }: Outcome): string[] {
  const late = createHistogram(lateness).percentile(0.99);
  return [
    ...Object.entries(refused).map(([code, times]) => `${times} refused with ${code}`),
    ...(unanswered > 0 ? [`${unanswered} sends without any answer`] : []),
    ...(late > tolerableLatenessMicros
      ? [
          `the load processes sent late (p99 ${milliseconds(late)} ms): the latencies describe them more than the system`,
        ]
      : []),
  ];
}
