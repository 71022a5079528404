import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { list, moment, name, object, userId, wait } from '../input/shapes.ts';

/** Someone whose last session closed; the epoch names the time of being online that ended with it. */
export type DisconnectedUser = { userId: string; epoch: string; lastActiveAt: number };

export type ConfirmOfflineArgs = {
  /** Up to 500. */
  users: DisconnectedUser[];
  /** When the last of them left, Unix milliseconds. */
  disconnectedAt: number;
  /** OFFLINE_CONFIRM_MS. */
  confirmMs: number;
};

export type ConfirmOfflineResult = { offline: number };

export const confirmOffline = { workflowType: 'confirmOffline' } as const;

/** Where a record lies in its topic. A topic that is made anew begins with offset 0 again; its times go on. */
export type RecordPlace = {
  partition: number;
  offset: string;
  /** Kafka's time of the record, Unix milliseconds. */
  timestamp: string;
};

/** Named by the first of its disconnects: its place in gochat.user-events. */
export const confirmOfflineId = ({ partition, offset, timestamp }: RecordPlace): string =>
  `confirm-offline/${partition}/${offset}/${timestamp}`;

/**
 * How a batch of disconnects is waited for. Its name is never used again: whoever starts it a second time learns
 * that the first of its disconnects is being looked after.
 */
export function confirmOfflineStart(first: RecordPlace, args: ConfirmOfflineArgs) {
  const { users } = args;
  const [only] = users.length === 1 ? users : [];
  return {
    workflowId: confirmOfflineId(first),
    taskQueue: taskQueues.maintenance,
    args: [args] as [ConfirmOfflineArgs],
    workflowIdConflictPolicy: 'FAIL' as const,
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    searchAttributes: {
      ...(only ? { UserId: [only.userId] } : {}),
      UserIds: userIdsAttribute(users.map(({ userId }) => userId)),
    },
    staticSummary: only ? `User ${only.userId} left` : `${users.length} users left`,
    staticDetails: `Who has not come back ${args.confirmMs} ms later goes offline, and friends are told.`,
  };
}

/** One of those whom the flow waits for: what one record of the topic must give. */
export const disconnectedUser = object<DisconnectedUser>({ userId, epoch: name, lastActiveAt: moment });

/** What the start must give. */
export const confirmOfflineInput = object<ConfirmOfflineArgs>({
  users: list(disconnectedUser),
  disconnectedAt: moment,
  confirmMs: wait,
});
