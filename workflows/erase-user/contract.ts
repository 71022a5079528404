import type { Refusal } from '../contracts/refusal.ts';
import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { exactly, flag, optional, userId } from '../input/shapes.ts';

export type EraseUserArgs = {
  userId: string;
  /** Whether what it wrote becomes empty; true unless it is said. */
  redactMessages?: boolean | undefined;
};

export type EraseUserResult =
  | {
      ok: true;
      /** Other users with whom nothing is left. */
      relationships: number;
      /** Groups (and the world room) left, and how many of them were dissolved by it. */
      left: number;
      dissolved: number;
      /** Messages that were emptied. Runs from before that could be have none. */
      redacted?: number;
    }
  | Refusal;

export const eraseUser = { workflowType: 'eraseUser' } as const;

export const eraseUserId = (userId: string): string => `erase-user/${userId}`;

/** How the erasure of an account starts. A closed run may be followed by another one, which finds nothing to do. */
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
      ? 'Its messages become empty and show "deleted user"; everything else of it goes.'
      : 'Its messages stay and show "deleted user"; everything else of it goes.',
  };
}

/** What the start must give. */
export const eraseUserInput = exactly<EraseUserArgs>({ userId, redactMessages: optional(flag) });
