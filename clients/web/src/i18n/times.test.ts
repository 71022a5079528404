import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTimes, daysBetween } from './times.ts';

const at = (time: string) => new Date(time).getTime();
const times = createTimes('en-GB', () => at('2026-06-10T15:00:00'));
const words = { today: 'Today', yesterday: 'Yesterday' };

test('a time is as short as its distance allows', () => {
  assert.equal(times.brief(at('2026-06-10T09:05:00')), '09:05');
  assert.equal(times.brief(at('2026-06-08T09:05:00')), 'Mon');
  assert.equal(times.brief(at('2026-05-08T09:05:00')), '8 May');
  assert.equal(times.brief(at('2024-05-08T09:05:00')), '8 May 2024');
});

test('today and yesterday go by the calendar, not by 24 hours', () => {
  assert.equal(times.day(at('2026-06-10T00:01:00'), words), 'Today');
  assert.equal(times.day(at('2026-06-09T23:59:00'), words), 'Yesterday');
  assert.match(times.day(at('2026-06-08T12:00:00'), words), /Monday.*8 June/);
  assert.equal(daysBetween(at('2026-03-28T23:00:00'), at('2026-03-30T01:00:00')), 2);
});

test('what was a while ago is told in the largest unit', () => {
  assert.equal(times.ago(at('2026-06-10T14:55:00')), '5 minutes ago');
  assert.equal(times.ago(at('2026-06-09T14:00:00')), 'yesterday');
  assert.equal(
    createTimes('zh-CN', () => at('2026-06-10T15:00:00')).ago(at('2026-06-10T12:00:00')),
    '3小时前',
  );
});
