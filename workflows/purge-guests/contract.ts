import { taskQueues } from '../contracts/task-queues.ts';
import {
  count,
  exactly,
  flag,
  milliseconds,
  moment,
  object,
  optional,
  type Shape,
  text,
} from '../input/shapes.ts';

/** What the command line may give; all of it is optional. */
export type PurgeGuestsInput = {
  /** Only counts. */
  dryRun?: boolean;
  /** Guests whom nobody saw for as long are erased; seven days unless it is said. */
  idleMs?: number;
};

export type PurgeGuestsResult = {
  /** Guests who had been idle for long enough. */
  found: number;
  /** Without those who came back, or registered, meanwhile. */
  erased: number;
  dryRun: boolean;
};

export type PurgeProgress = {
  /** Unix milliseconds; the same for all pages. */
  idleBefore: number;
  /** The page to ask for next; empty at the beginning and at the end. */
  cursor: string;
  found: number;
  erased: number;
};

export const purgeGuests = {
  workflowType: 'purgeGuests',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Erases guests who have gone for good',
  staticDetails: 'Whom nobody saw for seven days, by the steps that erase an account.',
} as const;

/** The schedule, and with a time behind it the runs that it starts. */
export const purgeGuestsSchedule = 'purge-guests';

/** What the start must give, and what a run that continues another one gets of it. */
export const purgeGuestsInputs: { start: Shape<PurgeGuestsInput>; soFar: Shape<PurgeProgress> } = {
  start: exactly<PurgeGuestsInput>({ dryRun: optional(flag), idleMs: optional(milliseconds) }),
  soFar: object<PurgeProgress>({ idleBefore: moment, cursor: text, found: count, erased: count }),
};
