import { taskQueues } from '../contracts/task-queues.ts';
import { count, exactly, flag, milliseconds, object, optional, type Shape, text } from '../input/shapes.ts';

/** What the command line may give; all of it is optional. */
export type CleanupExpiredStatusInput = {
  /** Only counts. */
  dryRun?: boolean;
  /** Sessions silent for longer than this end, instead of im-repo's own measure. */
  olderThanMs?: number;
};

export type CleanupExpiredStatusResult = { offline: number; sessionsRemoved: number; dryRun: boolean };

export type CleanupProgress = {
  /** The page to ask for next; empty at the beginning and at the end. */
  cursor: string;
  offline: number;
  sessionsRemoved: number;
};

export const cleanupExpiredStatus = {
  workflowType: 'cleanupExpiredStatus',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Ends sessions that nobody ended',
  staticDetails:
    'Sessions of dead gateways and silent ones. Users without another one go offline; friends are told.',
} as const;

/** The schedule, and with a time behind it the runs that it starts. */
export const cleanupExpiredStatusSchedule = 'cleanup-expired-status';

/** What the start must give, and what a run that continues another one gets of it. */
export const cleanupInputs: { start: Shape<CleanupExpiredStatusInput>; soFar: Shape<CleanupProgress> } = {
  start: exactly<CleanupExpiredStatusInput>({
    dryRun: optional(flag),
    olderThanMs: optional(milliseconds),
  }),
  soFar: object<CleanupProgress>({ cursor: text, offline: count, sessionsRemoved: count }),
};
