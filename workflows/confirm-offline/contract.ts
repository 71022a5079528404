import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { list, moment, name, object, userId, wait } from '../input/shapes.ts';

/** A user whose last session closed; the epoch identifies the online period that ended with it. */
export type DisconnectedUser = { userId: string; epoch: string; lastActiveAt: number };

export type ConfirmOfflineArgs = {
  /** Up to 500. */
  users: DisconnectedUser[];
  /** When the last of the users disconnected, Unix milliseconds. */
  disconnectedAt: number;
  /** OFFLINE_CONFIRM_MS. */
  confirmMs: number;
};

export type ConfirmOfflineResult = { offline: number };

export const confirmOffline = { workflowType: 'confirmOffline' } as const;

/**
 * The position of a record in its topic. A topic that is created again restarts at offset 0, so the time is part of
 * it.
 */
export type RecordPlace = {
  partition: number;
  offset: string;
  /** Kafka's time of the record, Unix milliseconds. */
  timestamp: string;
};

/** The workflow id contains the position of the batch's first disconnect in gochat.user-events. */
export const confirmOfflineId = ({ partition, offset, timestamp }: RecordPlace): string =>
  `confirm-offline/${partition}/${offset}/${timestamp}`;

/**
 * Start options for a batch of disconnects. A workflow id is never used again: a second start fails, which shows the
 * caller that the batch that begins with this disconnect has a run.
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
    staticDetails: `Users who have not reconnected after ${args.confirmMs} ms go offline, and friends get an event.`,
  };
}

/** The shape of one user of the batch, and of a record in the topic. */
export const disconnectedUser = object<DisconnectedUser>({ userId, epoch: name, lastActiveAt: moment });

/** The shape of the start arguments. */
export const confirmOfflineInput = object<ConfirmOfflineArgs>({
  users: list(disconnectedUser),
  disconnectedAt: moment,
  confirmMs: wait,
});
