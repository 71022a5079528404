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

/** The input from the command line; every field is optional. */
export type PurgeGuestsInput = {
  /** True: only count, change nothing. */
  dryRun?: boolean;
  /** Guests who were inactive for this long are erased; the default is seven days. */
  idleMs?: number;
};

export type PurgeGuestsResult = {
  /** Guests who had been idle for long enough. */
  found: number;
  /** Guests who came back, or registered, during the run are not counted. */
  erased: number;
  dryRun: boolean;
};

export type PurgeProgress = {
  /** Unix milliseconds; the same for all pages. */
  idleBefore: number;
  /** The cursor of the next page; empty before the first page and after the last. */
  cursor: string;
  found: number;
  erased: number;
};

export const purgeGuests = {
  workflowType: 'purgeGuests',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Erases inactive guests',
  staticDetails: 'Erases guests who were inactive for seven days, by the steps that erase an account.',
} as const;

/** The id of the schedule; Temporal appends a time to it for the ids of the runs. */
export const purgeGuestsSchedule = 'purge-guests';

/** The shapes of the start arguments, and of the progress that continue-as-new hands to the next run. */
export const purgeGuestsInputs: { start: Shape<PurgeGuestsInput>; soFar: Shape<PurgeProgress> } = {
  start: exactly<PurgeGuestsInput>({ dryRun: optional(flag), idleMs: optional(milliseconds) }),
  soFar: object<PurgeProgress>({ idleBefore: moment, cursor: text, found: count, erased: count }),
};
