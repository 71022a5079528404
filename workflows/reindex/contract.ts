import { taskQueues } from '../contracts/task-queues.ts';
import { count, exactly, name, object, optional, type Shape, text } from '../input/shapes.ts';

/** The input from the command line. */
export type ReindexInput = {
  /** When given: only this conversation. */
  conversationId?: string;
};

export type ReindexResult = {
  /** Messages that were taken up. */
  indexed: number;
  /** Conversations that were finished. */
  conversations: number;
};

export type ReindexProgress = ReindexResult & {
  /** The cursor of the next step; empty before the first step and after the last. */
  cursor: string;
};

export const reindex = {
  workflowType: 'reindex',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Builds the search index anew',
  staticDetails:
    'Reads all messages and writes their words into the search index, conversation by conversation. Searches and new messages go on meanwhile.',
} as const;

/** The shapes of the start arguments, and of the progress that continue-as-new hands to the next run. */
export const reindexInputs: { start: Shape<ReindexInput>; soFar: Shape<ReindexProgress> } = {
  start: exactly<ReindexInput>({ conversationId: optional(name) }),
  soFar: object<ReindexProgress>({ cursor: text, indexed: count, conversations: count }),
};
