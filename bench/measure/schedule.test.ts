import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chainSchedules, createSchedule, type Schedule } from './schedule.ts';

const all = (options: Parameters<typeof createSchedule>[0]): number[] => drain(createSchedule(options));

function drain(schedule: Schedule): number[] {
  const times: number[] = [];
  for (let due = schedule.due(); due !== undefined; due = schedule.due()) {
    times.push(due);
    schedule.advance();
  }
  return times;
}

test('a schedule keeps its rate and stays inside its time', () => {
  const times = all({ rate: 1000, seconds: 20, startsAt: 5e6, seed: 1 });
  assert.ok(Math.abs(times.length - 20_000) < 600, `${times.length} arrivals`);
  assert.ok((times[0] ?? 0) >= 5e6 && (times.at(-1) ?? 0) < 25e6);
  assert.ok(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0)));
});

test('arrivals come in bursts as independent people do, not evenly', () => {
  const times = all({ rate: 1000, seconds: 20, startsAt: 0, seed: 2 });
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  assert.ok(Math.abs(deviation / mean - 1) < 0.1, `coefficient of variation ${deviation / mean}`);
});

test('the same seed gives the same moments, another one others', () => {
  const options = { rate: 50, seconds: 10, startsAt: 0 };
  assert.deepEqual(all({ ...options, seed: 7 }), all({ ...options, seed: 7 }));
  assert.notDeepEqual(all({ ...options, seed: 7 }), all({ ...options, seed: 8 }));
});

test('schedules in a chain follow each other without a gap', () => {
  const much = { rate: 3000, seconds: 2, startsAt: 0, seed: 1 };
  const less = { rate: 500, seconds: 4, startsAt: 2e6, seed: 2 };
  const times = drain(chainSchedules([createSchedule(much), createSchedule(less)]));
  assert.deepEqual(times, [...all(much), ...all(less)]);
});
