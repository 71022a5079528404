import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grown, parseMetrics, type Scrape, stagesBetween } from './stages.ts';

const scraped = (text: string): Scrape => {
  const scrape: Scrape = { histograms: new Map(), counters: new Map() };
  parseMetrics('repo', text, scrape);
  return scrape;
};

const at = (fast: number, slow: number, sum: number) => `
# TYPE gochat_save_duration_seconds histogram
gochat_save_duration_seconds_bucket{le="0.01",service="repo",path="/a,b"} ${fast}
gochat_save_duration_seconds_bucket{le="0.1",service="repo",path="/a,b"} ${fast + slow}
gochat_save_duration_seconds_bucket{le="+Inf",service="repo",path="/a,b"} ${fast + slow}
gochat_save_duration_seconds_sum{service="repo",path="/a,b"} ${sum}
gochat_save_duration_seconds_count{service="repo",path="/a,b"} ${fast + slow}
gochat_message_send_total{service="repo"} ${fast}
process_cpu_seconds_total{service="repo"} 12`;

test('a stage contains only what happened between the two scrapes', () => {
  const [stage, ...more] = stagesBetween(scraped(at(1000, 0, 5)), scraped(at(1050, 50, 8)));
  assert.deepEqual(more, []);
  assert.equal(stage?.count, 100);
  assert.equal(stage?.labels, 'path="/a,b"');
  assert.ok(Math.abs((stage?.mean ?? 0) - 0.03) < 1e-9);
  assert.ok(Math.abs((stage?.p50 ?? 0) - 0.01) < 1e-9);
  assert.ok((stage?.p99 ?? 0) > 0.09 && (stage?.p99 ?? 0) <= 0.1);
});

test('stages in which nothing happened are left out', () => {
  assert.deepEqual(stagesBetween(scraped(at(5, 5, 1)), scraped(at(5, 5, 1))), []);
});

test('counters are reported by their growth', () => {
  assert.equal(grown(scraped(at(10, 0, 1)), scraped(at(25, 0, 1)), 'repo gochat_message_send_total'), 15);
});
