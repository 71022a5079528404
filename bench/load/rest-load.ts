import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMicros } from '../measure/clock.ts';
import { createHistogram } from '../measure/histogram.ts';
import { createSchedule } from '../measure/schedule.ts';
import type { RestPlan, RestReport } from './commands.ts';
import { createHttpConnection } from './http.ts';
import { count } from './sessions.ts';

/** Makes REST calls by a schedule (open), or as fast as the connections allow (closed, once). */
export async function loadRest(plan: RestPlan): Promise<RestReport> {
  const latency = createHistogram();
  const failures: Record<string, number> = {};
  const next = dueTimes(plan);
  let turn = 0;
  let bytes = 0;
  let sample = '';
  let lastAnswerAt = 0;

  async function lane(): Promise<void> {
    const connection = createHttpConnection(plan.gateway);
    for (let dueAt = await next(); dueAt !== undefined; dueAt = await next()) {
      const call = plan.calls[turn % plan.calls.length];
      turn += 1;
      if (!call) break;
      try {
        const answer = await connection.request(call);
        if (answer.status >= 300) count(failures, String(answer.status));
        lastAnswerAt = monotonicMicros();
        latency.record(lastAnswerAt - dueAt);
        bytes += answer.body.length;
        sample = answer.body;
      } catch (error) {
        count(failures, (error as Error).message);
      }
    }
    connection.close();
  }

  await Promise.all(Array.from({ length: plan.connections }, lane));
  return { answered: latency.count(), failures, latency: latency.data(), bytes, sample, lastAnswerAt };
}

function dueTimes(plan: RestPlan): () => Promise<number | undefined> {
  if (plan.kind === 'open') return scheduled(plan);
  return plan.kind === 'closed' ? atOnce(plan.seconds) : eachOnce(plan.calls.length);
}

/**
 * Gives each free connection the next due time. If no connection is free, a call starts late, and its latency
 * includes the delay.
 */
function scheduled(plan: Extract<RestPlan, { kind: 'open' }>): () => Promise<number | undefined> {
  const schedule = createSchedule(plan);
  return async () => {
    const due = schedule.due();
    if (due === undefined) return undefined;
    schedule.advance();
    const waitMs = (due - monotonicMicros()) / 1000;
    if (waitMs > 0) await sleep(Math.max(1, Math.floor(waitMs)));
    return due;
  };
}

function atOnce(seconds: number): () => Promise<number | undefined> {
  const endsAt = monotonicMicros() + seconds * 1e6;
  return async () => {
    const now = monotonicMicros();
    return now < endsAt ? now : undefined;
  };
}

function eachOnce(calls: number): () => Promise<number | undefined> {
  let left = calls;
  return async () => {
    if (left === 0) return undefined;
    left -= 1;
    return monotonicMicros();
  };
}
