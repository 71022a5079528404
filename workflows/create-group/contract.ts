import { update } from '../contracts/definitions.ts';
import type { Refusal } from '../contracts/refusal.ts';
import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { count, list, name, object, optional, text, userId } from '../input/shapes.ts';

export type CreateGroupArgs = {
  /** Chosen by the caller, so that a retry finds the same run and the same group. */
  conversationId: string;
  ownerId: string;
  /** The first members without the owner: up to 1,000, without duplicates. */
  memberIds: string[];
  /** The id under which im-repo stores name, picture and description. */
  textsId?: string | undefined;
  /** Only in runs of older releases, which carried the texts in their input. */
  name?: string | undefined;
  avatarUrl?: string | undefined;
  description?: string | undefined;
  maxMembers: number;
};

/** `refused`: the users whom the owner may not add, if any; the others are members. */
export type CreateGroupResult = { ok: true; conversationId: string; refused?: string[] } | Refusal;

export const createGroup = {
  workflowType: 'createGroup',
  /** Waits for the outcome. It has no arguments: the start arguments contain everything. */
  result: update<CreateGroupResult>('result'),
} as const;

export const createGroupId = (conversationId: string): string => `create-group/${conversationId}`;

/** Start options for update-with-start, which starts the creation or finds its run; every step is idempotent. */
export function createGroupStart(args: CreateGroupArgs) {
  return {
    workflowId: createGroupId(args.conversationId),
    taskQueue: taskQueues.interactive,
    args: [args] as [CreateGroupArgs],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    searchAttributes: {
      ConversationId: [args.conversationId],
      UserId: [args.ownerId],
      UserIds: userIdsAttribute([args.ownerId, ...args.memberIds]),
    },
    staticSummary: `Group ${args.conversationId} with ${args.memberIds.length + 1} members`,
  };
}

/** The shape of the start arguments. */
export const createGroupInput = object<CreateGroupArgs>({
  conversationId: name,
  ownerId: userId,
  memberIds: list(userId),
  textsId: optional(name),
  name: optional(text),
  avatarUrl: optional(text),
  description: optional(text),
  maxMembers: count,
});
