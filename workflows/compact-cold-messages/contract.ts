import { taskQueues } from '../contracts/task-queues.ts';
import { count, exactly, moment, name, object, optional, type Shape, text, userId } from '../input/shapes.ts';

/** The input from the command line; every field is optional. */
export type CompactColdMessagesInput = {
  /** Only objects with changed messages of this conversation. */
  conversationId?: string;
  /** Only objects with changed messages by this user. */
  userId?: string;
};

export type CompactColdMessagesResult = {
  /** Why nothing was done; empty otherwise. */
  message: string;
  /** Objects that were rewritten. */
  objects: number;
  /** Changed messages in them. */
  messages: number;
  /** Objects that somebody else was working on. */
  skipped: number;
};

export type CompactProgress = {
  /** Unix milliseconds; the same for the whole run. */
  before: number;
  /** The last object that was looked at; empty before the first one. */
  after: string;
  objects: number;
  messages: number;
  skipped: number;
};

export const compactColdMessages = {
  workflowType: 'compactColdMessages',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Rewrites archived messages that changed',
  staticDetails: 'Rewrites the objects with archived messages that were recalled, erased or changed since.',
} as const;

/** The id of the schedule; Temporal appends a time to it for the ids of the runs. */
export const compactColdMessagesSchedule = 'compact-cold-messages';

/** The shapes of the start arguments, and of the progress that continue-as-new hands to the next run. */
export const compactInputs: { start: Shape<CompactColdMessagesInput>; soFar: Shape<CompactProgress> } = {
  start: exactly<CompactColdMessagesInput>({ conversationId: optional(name), userId: optional(userId) }),
  soFar: object<CompactProgress>({
    before: moment,
    after: text,
    objects: count,
    messages: count,
    skipped: count,
  }),
};
