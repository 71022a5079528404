import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRuns } from './compare.ts';
import type { Figure, RunResult } from './result.ts';

const run = (label: string, ...figures: Figure[]): RunResult => ({
  startedAt: '',
  commit: '',
  machine: { cpu: '', cores: 2, memoryBytes: 0, node: '' },
  gateways: [],
  arguments: [],
  scenarios: [
    {
      name: 'one-to-one',
      title: '',
      seconds: 1,
      faults: [],
      steps: [{ label, figures, latencies: [], usage: [], stages: [], notes: [] }],
    },
  ],
});
const rate = (value: number): Figure => ({ name: 'acknowledged', value, unit: '/s', better: 'higher' });
const p99 = (value: number): Figure => ({ name: 'ack p99', value, unit: 'ms', better: 'lower' });

const verdicts = (old: RunResult, fresh: RunResult) =>
  compareRuns(old, fresh).map(({ figure, verdict }) => `${figure} ${verdict}`);

test('a higher rate and a lower latency are better, the other way round worse', () => {
  assert.deepEqual(verdicts(run('a', rate(100), p99(20)), run('a', rate(130), p99(10))), [
    'acknowledged better',
    'ack p99 better',
  ]);
  assert.deepEqual(verdicts(run('a', rate(100), p99(20)), run('a', rate(70), p99(40))), [
    'acknowledged worse',
    'ack p99 worse',
  ]);
});

test('a difference within the machine’s noise counts as the same', () => {
  assert.deepEqual(verdicts(run('a', rate(100)), run('a', rate(90))), ['acknowledged same']);
});

test('figures that only one run has are left out', () => {
  assert.deepEqual(verdicts(run('400 per second', rate(100)), run('800 per second', rate(100))), []);
});

test('from zero there is no share, but a verdict', () => {
  const [only] = compareRuns(run('a', p99(0)), run('a', p99(5)));
  assert.equal(only?.share, undefined);
  assert.equal(only?.verdict, 'worse');
});
