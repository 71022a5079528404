import type { Refusal } from '../contracts/refusal.ts';
import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { exactly, flag, optional, userId } from '../input/shapes.ts';

export type EraseUserArgs = {
  userId: string;
  /** True (the default): the account's messages become empty. False: they stay. */
  redactMessages?: boolean | undefined;
};

export type EraseUserResult =
  | {
      ok: true;
      /** Other users whose friendship, requests and blocks with the account were removed. */
      relationships: number;
      /** Groups left (including the world room), and how many of them were dissolved thereby. */
      left: number;
      dissolved: number;
      /** Messages that were emptied. Runs of older releases, which emptied none, have no number. */
      redacted?: number;
    }
  | Refusal;

export const eraseUser = { workflowType: 'eraseUser' } as const;

export const eraseUserId = (userId: string): string => `erase-user/${userId}`;

/**
 * Start options for the erasure of an account. A second run after a closed one is allowed and finds nothing to do.
 */
export function eraseUserStart(userId: string, redactMessages = true) {
  return {
    workflowId: eraseUserId(userId),
    taskQueue: taskQueues.maintenance,
    args: [{ userId, redactMessages }] as [EraseUserArgs],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    searchAttributes: { UserId: [userId], UserIds: userIdsAttribute([userId]) },
    staticSummary: `Erasure of account ${userId}`,
    staticDetails: redactMessages
      ? 'Its messages become empty and show "deleted user"; all its other data is deleted.'
      : 'Its messages stay and show "deleted user"; all its other data is deleted.',
  };
}

/** The shape of the start arguments. */
export const eraseUserInput = exactly<EraseUserArgs>({ userId, redactMessages: optional(flag) });
