// Room: results as tables, HTML pages and comparisons. No measurement may come in.

import type { HistogramData } from '../measure/histogram.ts';
import type { Stage } from '../system/stages.ts';
import type { ProcessUsage } from '../system/usage.ts';

/** A number that two runs are compared by. */
export type Figure = { name: string; value: number; unit: string; better: 'higher' | 'lower' | 'neither' };

/** One measurement of a scenario, for example one rate or one size. */
export type Step = {
  label: string;
  figures: Figure[];
  latencies: { name: string; data: HistogramData }[];
  usage: ProcessUsage[];
  stages: Stage[];
  /** Set if the step measures each second separately, by the due times of the sends. */
  timeline?: TimelineSecond[];
  /** Warnings about the figures. */
  notes: string[];
};

export type TimelineSecond = {
  second: number;
  sent: number;
  acknowledged: number;
  refused: number;
  /** Milliseconds. */
  ackP99: number;
};

export type ScenarioResult = {
  name: string;
  title: string;
  seconds: number;
  steps: Step[];
  /** Messages lost, duplicated or out of order, and other errors. One fault fails the run. */
  faults: string[];
};

export type RunResult = {
  startedAt: string;
  commit: string;
  machine: { cpu: string; cores: number; memoryBytes: number; node: string };
  gateways: string[];
  arguments: string[];
  scenarios: ScenarioResult[];
};

export const milliseconds = (micros: number): number => Math.round(micros / 10) / 100;
