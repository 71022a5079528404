import {
  type Connection,
  ScheduleAlreadyRunning,
  ScheduleClient,
  type ScheduleOptions,
} from '@temporalio/client';
import type { Logger } from '../../../lib/log.ts';
import {
  archiveColdMessages,
  archiveColdMessagesSchedule,
} from '../../../workflows/archive-cold-messages/contract.ts';
import {
  cleanupExpiredStatus,
  cleanupExpiredStatusSchedule,
} from '../../../workflows/cleanup-expired-status/contract.ts';
import {
  compactColdMessages,
  compactColdMessagesSchedule,
} from '../../../workflows/compact-cold-messages/contract.ts';
import { purgeGuests, purgeGuestsSchedule } from '../../../workflows/purge-guests/contract.ts';
import {
  reconcileCounters,
  reconcileCountersSchedule,
} from '../../../workflows/reconcile-counters/contract.ts';

/** The schedules of maintenance flows. Temporal appends the start time to the workflow id of each run. */
const schedules: ScheduleOptions[] = [
  {
    scheduleId: cleanupExpiredStatusSchedule,
    spec: { intervals: [{ every: '1 minute' }], jitter: '5 seconds' },
    policies: {
      // After an outage of Temporal, one run does the work of all missed runs.
      overlap: 'SKIP',
      catchupWindow: '5 minutes',
    },
    action: { type: 'startWorkflow', workflowId: cleanupExpiredStatusSchedule, ...cleanupExpiredStatus },
  },
  // At night (UTC). A missed run is made up for within 12 hours.
  {
    scheduleId: purgeGuestsSchedule,
    spec: { calendars: [{ hour: 3, minute: 17 }], jitter: '10 minutes' },
    policies: { overlap: 'SKIP', catchupWindow: '12 hours' },
    action: { type: 'startWorkflow', workflowId: purgeGuestsSchedule, ...purgeGuests },
  },
  {
    scheduleId: reconcileCountersSchedule,
    spec: { calendars: [{ hour: 4, minute: 17 }], jitter: '10 minutes' },
    policies: { overlap: 'SKIP', catchupWindow: '12 hours' },
    action: { type: 'startWorkflow', workflowId: reconcileCountersSchedule, ...reconcileCounters },
  },
  {
    scheduleId: archiveColdMessagesSchedule,
    spec: { calendars: [{ hour: 2, minute: 17 }], jitter: '10 minutes' },
    policies: { overlap: 'SKIP', catchupWindow: '12 hours' },
    action: {
      type: 'startWorkflow',
      workflowId: archiveColdMessagesSchedule,
      ...archiveColdMessages,
      args: [{ wholeMonths: true }],
    },
  },
  // Recalled and erased texts must leave the objects within 30 days.
  {
    scheduleId: compactColdMessagesSchedule,
    spec: { calendars: [{ dayOfWeek: 'SUNDAY', hour: 1, minute: 17 }], jitter: '10 minutes' },
    policies: { overlap: 'SKIP', catchupWindow: '3 days' },
    action: { type: 'startWorkflow', workflowId: compactColdMessagesSchedule, ...compactColdMessages },
  },
];

/** Creates missing schedules and updates the others. A paused schedule stays paused. */
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
