// Room: results as tables, pages and comparisons. Nothing is measured here.

import type { HistogramData } from '../measure/histogram.ts';
import type { Stage } from '../system/stages.ts';
import type { ProcessUsage } from '../system/usage.ts';

/** A number that is worth comparing between two runs. */
export type Figure = { name: string; value: number; unit: string; better: 'higher' | 'lower' | 'neither' };

/** One measurement of a scenario: one rate, one size. */
export type Step = {
  label: string;
  figures: Figure[];
  latencies: { name: string; data: HistogramData }[];
  usage: ProcessUsage[];
  stages: Stage[];
  /** Of a step in which seconds are told apart, by when sends were due. */
  timeline?: TimelineSecond[];
  /** What a reader should know before trusting the figures. */
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
  /** Anything lost, repeated, out of order or broken. One of them fails the run. */
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
