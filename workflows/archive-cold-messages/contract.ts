import { taskQueues } from '../contracts/task-queues.ts';
import {
  amount,
  count,
  exactly,
  flag,
  moment,
  name,
  object,
  oneOf,
  optional,
  type Shape,
  text,
} from '../input/shapes.ts';

/** The input from the command line; every field is optional. The numbers default to im-repo's settings. */
export type ArchiveColdMessagesInput = {
  /** True: only count, change nothing. */
  dryRun?: boolean;
  /** Messages older than this are archived. */
  olderThanDays?: number;
  /** As many of the newest messages of each conversation stay; at least one. */
  keepNewest?: number;
  /** Archived messages are deleted from the database after this time. */
  graceHours?: number;
  /** Only the messages of this conversation. */
  conversationId?: string;
  /** True: only messages of months that are over by then, so that there is one object per month. */
  wholeMonths?: boolean;
};

export type ArchiveColdMessagesResult = {
  /** Why nothing was done; empty otherwise. */
  message: string;
  /** Messages that were archived, or would be. */
  archived: number;
  objects: number;
  bytes: number;
  /** Archived messages that were deleted from the database. */
  deleted: number;
  /** Archived messages that stay there, because they have changed, are pinned or have reactions. */
  kept: number;
  dryRun: boolean;
};

export type ArchiveProgress = {
  phase: 'archive' | 'delete';
  /** Unix milliseconds; the same for the whole run. */
  before: number;
  /** The cursor of the next page; empty before the first one. */
  after: string;
  archived: number;
  objects: number;
  bytes: number;
  deleted: number;
  kept: number;
};

export const archiveColdMessages = {
  workflowType: 'archiveColdMessages',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Archives old messages',
  staticDetails: 'Moves old messages from the database into objects of the cold store.',
} as const;

/** The id of the schedule; Temporal appends a time to it for the ids of the runs. */
export const archiveColdMessagesSchedule = 'archive-cold-messages';

export const noStore = 'No cold store is configured, so nothing was archived: set COLD_URL.';

/** The shapes of the start arguments, and of the progress that continue-as-new hands to the next run. */
export const archiveInputs: { start: Shape<ArchiveColdMessagesInput>; soFar: Shape<ArchiveProgress> } = {
  start: exactly<ArchiveColdMessagesInput>({
    dryRun: optional(flag),
    olderThanDays: optional(amount),
    keepNewest: optional(amount),
    graceHours: optional(amount),
    conversationId: optional(name),
    wholeMonths: optional(flag),
  }),
  soFar: object<ArchiveProgress>({
    phase: oneOf('archive', 'delete'),
    before: moment,
    after: text,
    archived: count,
    objects: count,
    bytes: count,
    deleted: count,
    kept: count,
  }),
};
