/** What callers, operators and flows of gochat-maintenance agree on besides presence. Pure data, ids only. */
import type { Refusal } from './contracts.ts';
import { eraseUserId, taskQueues } from './ids.ts';

export type EraseUserArgs = { userId: string };

export type EraseUserResult =
  | {
      ok: true;
      /** Other users with whom nothing is left. */
      relationships: number;
      /** Groups (and the world room) left, and how many of them were dissolved by it. */
      left: number;
      dissolved: number;
    }
  | Refusal;

export const eraseUser = { workflowType: 'eraseUser' } as const;

/** How the erasure of an account starts. A closed run may be followed by another one, which finds nothing to do. */
export function eraseUserStart(userId: string) {
  return {
    workflowId: eraseUserId(userId),
    taskQueue: taskQueues.maintenance,
    args: [{ userId }] as [EraseUserArgs],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    searchAttributes: { UserId: [userId] },
    staticSummary: `Erasure of account ${userId}`,
    staticDetails: 'Its messages stay and show "deleted user"; everything else of it goes.',
  };
}
