import { taskQueues } from '../contracts/task-queues.ts';
import { count, exactly, flag, milliseconds, object, optional, type Shape, text } from '../input/shapes.ts';

/** The input from the command line; every field is optional. */
export type CleanupExpiredStatusInput = {
  /** True: only count, change nothing. */
  dryRun?: boolean;
  /** End sessions without a heartbeat for this long, instead of im-repo's own limit. */
  olderThanMs?: number;
};

export type CleanupExpiredStatusResult = { offline: number; sessionsRemoved: number; dryRun: boolean };

export type CleanupProgress = {
  /** The cursor of the next page; empty before the first page and after the last. */
  cursor: string;
  offline: number;
  sessionsRemoved: number;
};

export const cleanupExpiredStatus = {
  workflowType: 'cleanupExpiredStatus',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Removes expired sessions',
  staticDetails:
    'Sessions of dead gateways or without a heartbeat. Users without another session go offline; friends get an event.',
} as const;

/** The id of the schedule; Temporal appends a time to it for the ids of the runs. */
export const cleanupExpiredStatusSchedule = 'cleanup-expired-status';

/** The shapes of the start arguments, and of the progress that continue-as-new hands to the next run. */
export const cleanupInputs: { start: Shape<CleanupExpiredStatusInput>; soFar: Shape<CleanupProgress> } = {
  start: exactly<CleanupExpiredStatusInput>({
    dryRun: optional(flag),
    olderThanMs: optional(milliseconds),
  }),
  soFar: object<CleanupProgress>({ cursor: text, offline: count, sessionsRemoved: count }),
};
