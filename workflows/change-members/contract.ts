import { update } from '../contracts/definitions.ts';
import type { Refusal } from '../contracts/refusal.ts';
import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { either, list, name, object, oneOf, userId } from '../input/shapes.ts';

export type MemberChange =
  | { kind: 'add' | 'remove'; userIds: string[] }
  | { kind: 'dissolve' }
  | { kind: 'transfer'; userId: string };

export type ChangeMembersArgs = {
  conversationId: string;
  /** The idempotency key of the change: derived from the actor's Idempotency-Key, or random. */
  key: string;
  actorId: string;
  change: MemberChange;
};

export type ChangeMembersResult =
  | { ok: true; added?: string[]; alreadyMembers?: string[]; refused?: string[]; removed?: string[] }
  | Refusal;

export const changeMembers = {
  workflowType: 'changeMembers',
  /** Waits for the outcome. It has no arguments: the start arguments contain everything. */
  result: update<ChangeMembersResult>('result'),
} as const;

export const changeMembersId = (conversationId: string, key: string): string =>
  `change-members/${conversationId}/${key}`;

/**
 * Start options for update-with-start, which starts the change or finds its run; a later retry gets the same answer.
 */
export function changeMembersStart(args: ChangeMembersArgs) {
  const { conversationId, actorId, change } = args;
  return {
    workflowId: changeMembersId(conversationId, args.key),
    taskQueue: taskQueues.interactive,
    args: [args] as [ChangeMembersArgs],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    searchAttributes: {
      ConversationId: [conversationId],
      UserId: [actorId],
      UserIds: userIdsAttribute([actorId, ...usersOf(change)]),
    },
    staticSummary: `Members of group ${conversationId}: ${change.kind}`,
  };
}

function usersOf(change: MemberChange): string[] {
  switch (change.kind) {
    case 'add':
    case 'remove':
      return change.userIds;
    case 'transfer':
      return [change.userId];
    case 'dissolve':
      return [];
  }
}

const manyMembers = object<Extract<MemberChange, { userIds: string[] }>>({
  kind: oneOf('add', 'remove'),
  userIds: list(userId),
});

/** The shape of the start arguments. */
export const changeMembersInput = object<ChangeMembersArgs>({
  conversationId: name,
  key: name,
  actorId: userId,
  change: either<MemberChange, 'kind'>('kind', {
    add: manyMembers,
    remove: manyMembers,
    dissolve: object<Extract<MemberChange, { kind: 'dissolve' }>>({ kind: oneOf('dissolve') }),
    transfer: object<Extract<MemberChange, { kind: 'transfer' }>>({ kind: oneOf('transfer'), userId }),
  }),
});
