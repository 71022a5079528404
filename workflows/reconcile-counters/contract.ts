import { taskQueues } from '../contracts/task-queues.ts';
import { count, exactly, flag, list, object, optional, type Shape, text } from '../input/shapes.ts';
import type { CounterFindings } from './findings.ts';

/** What the command line may give. */
export type ReconcileCountersInput = {
  /** Only reports. */
  dryRun?: boolean;
};

export type ReconcileCountersResult = CounterFindings & { dryRun: boolean };

export type ReconcileProgress = {
  /** The last conversation looked at; empty at the beginning. */
  after: string;
  findings: CounterFindings;
};

export const reconcileCounters = {
  workflowType: 'reconcileCounters',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Compares counters with what they count',
  staticDetails:
    'member_count, heads, last messages, read pointers and unread counts of all conversations; mends them.',
} as const;

/** The schedule, and with a time behind it the runs that it starts. */
export const reconcileCountersSchedule = 'reconcile-counters';

/** What the start must give, and what a run that continues another one gets of it. */
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
