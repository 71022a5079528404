import {
  type Connection,
  ScheduleAlreadyRunning,
  ScheduleClient,
  type ScheduleOptions,
} from '@temporalio/client';
import type { Logger } from '../../../lib/log.ts';
import { cleanupExpiredStatus } from '../../../workflows/contracts.ts';
import { scheduleIds } from '../../../workflows/ids.ts';
import { purgeGuests, reconcileCounters } from '../../../workflows/job-contracts.ts';

/** What runs by the clock. The name of a run is the schedule's with the time behind it. */
const schedules: ScheduleOptions[] = [
  {
    scheduleId: scheduleIds.cleanupExpiredStatus,
    spec: { intervals: [{ every: '1 minute' }], jitter: '5 seconds' },
    policies: {
      // After an outage of Temporal one run does the work of all that were missed.
      overlap: 'SKIP',
      catchupWindow: '5 minutes',
    },
    action: { type: 'startWorkflow', workflowId: scheduleIds.cleanupExpiredStatus, ...cleanupExpiredStatus },
  },
  // At night (UTC); a night that was missed is made up for within half a day.
  {
    scheduleId: scheduleIds.purgeGuests,
    spec: { calendars: [{ hour: 3, minute: 17 }], jitter: '10 minutes' },
    policies: { overlap: 'SKIP', catchupWindow: '12 hours' },
    action: { type: 'startWorkflow', workflowId: scheduleIds.purgeGuests, ...purgeGuests },
  },
  {
    scheduleId: scheduleIds.reconcileCounters,
    spec: { calendars: [{ hour: 4, minute: 17 }], jitter: '10 minutes' },
    policies: { overlap: 'SKIP', catchupWindow: '12 hours' },
    action: { type: 'startWorkflow', workflowId: scheduleIds.reconcileCounters, ...reconcileCounters },
  },
];

/** Creates the schedules that are missing and brings the others up to date; one that was paused stays paused. */
export async function ensureSchedules(connection: Connection, namespace: string, log: Logger): Promise<void> {
  const client = new ScheduleClient({ connection, namespace });
  for (const schedule of schedules) {
    try {
      await client.create(schedule);
      log.info({ schedule: schedule.scheduleId }, 'schedule created');
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const { scheduleId, ...wanted } = schedule;
      await client.getHandle(scheduleId).update(({ state }) => ({ ...wanted, state }));
    }
  }
}
