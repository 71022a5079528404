import { taskQueues } from '../contracts/task-queues.ts';
import { count, exactly, flag, list, object, optional, type Shape, text } from '../input/shapes.ts';
import type { CounterFindings } from './findings.ts';

/** The input from the command line. */
export type ReconcileCountersInput = {
  /** True: only report, repair nothing. */
  dryRun?: boolean;
};

export type ReconcileCountersResult = CounterFindings & { dryRun: boolean };

export type ReconcileProgress = {
  /** The id of the last compared conversation; empty before the first page. */
  after: string;
  findings: CounterFindings;
};

export const reconcileCounters = {
  workflowType: 'reconcileCounters',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Compares counters with the rows that they count',
  staticDetails:
    'member_count, heads, last messages, read pointers and unread counts of all conversations; repairs them.',
} as const;

/** The id of the schedule; Temporal appends a time to it for the ids of the runs. */
export const reconcileCountersSchedule = 'reconcile-counters';

/** The shapes of the start arguments, and of the progress that continue-as-new hands to the next run. */
export const reconcileInputs: { start: Shape<ReconcileCountersInput>; soFar: Shape<ReconcileProgress> } = {
  start: exactly<ReconcileCountersInput>({ dryRun: optional(flag) }),
  soFar: object<ReconcileProgress>({
    after: text,
    findings: object<CounterFindings>({
      checked: count,
      wrong: object<CounterFindings['wrong']>({
        memberCount: count,
        head: count,
        lastMessage: count,
        readPointers: count,
        unread: count,
      }),
      mended: count,
      conversationIds: list(text),
      unfinishedGroups: optional(count),
    }),
  }),
};
