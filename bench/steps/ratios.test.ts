import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratiosOf } from './ratios.ts';
import { figure } from './steps.ts';

const figures = (p99: number, cpu: number) => [
  figure('ack p99', p99, 'ms', 'lower'),
  figure('delivery p99', p99, 'ms', 'lower'),
  figure('CPU per message', cpu, 'ms', 'lower'),
];

test('the tail latency and the cost are compared, and unmeasured figures are left out', () => {
  assert.deepEqual(
    ratiosOf(figures(20, 0.5), figures(30, 0.5)).map(({ name, value }) => [name, value]),
    [
      ['ack p99', 1.5],
      ['CPU per message', 1],
    ],
  );
  assert.deepEqual(ratiosOf(figures(0, 0), figures(30, 1)), []);
});
