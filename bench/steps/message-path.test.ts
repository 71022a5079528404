import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stage } from '../system/stages.ts';
import { pathFigures } from './message-path.ts';

const stage = (service: string, metric: string, mean: number, more: Partial<Stage> = {}): Stage => ({
  service,
  metric,
  labels: '',
  count: 10,
  mean,
  p50: mean,
  p99: mean,
  ...more,
});

test('the path of a message gives each stage its mean over all processes', () => {
  const labels = 'topic="gochat.messages.upstream"';
  const figures = pathFigures([
    stage('gateway-1', 'gochat_gateway_ack_seconds', 0.01),
    stage('gateway-2', 'gochat_gateway_ack_seconds', 0.004, { count: 5 }),
    stage('logic', 'gochat_record_transit_seconds', 0.002, { labels }),
    stage('logic', 'gochat_save_duration_seconds', 0.003),
  ]);
  const value = (name: string) => figures.find((figure) => figure.name === `path: ${name}`)?.value;
  assert.deepEqual(
    [
      value('through the broker to logic'),
      value('save'),
      value('wait for a save'),
      value('acknowledged after'),
    ],
    [2, 3, 0, 8],
  );
});

test('there is no path without the metrics of a gateway', () => {
  assert.deepEqual(pathFigures([stage('logic', 'gochat_save_duration_seconds', 0.003)]), []);
});
