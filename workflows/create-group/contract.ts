import { update } from '../contracts/definitions.ts';
import type { Refusal } from '../contracts/refusal.ts';
import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { count, list, name, object, optional, text, userId } from '../input/shapes.ts';

export type CreateGroupArgs = {
  /** Chosen by the caller, so that a retry meets the same flow and the same group. */
  conversationId: string;
  ownerId: string;
  /** The first members besides the owner, up to 1,000, each once. */
  memberIds: string[];
  /** Where im-repo keeps name, picture and description. */
  textsId?: string | undefined;
  /** Of runs that began when texts were carried along. */
  name?: string | undefined;
  avatarUrl?: string | undefined;
  description?: string | undefined;
  maxMembers: number;
};

/** `refused`: who may not be added by the owner, if anybody; the others are in. */
export type CreateGroupResult = { ok: true; conversationId: string; refused?: string[] } | Refusal;

export const createGroup = {
  workflowType: 'createGroup',
  /** Waits for the outcome. It takes nothing: the start arguments say all. */
  result: update<CreateGroupResult>('result'),
} as const;

export const createGroupId = (conversationId: string): string => `create-group/${conversationId}`;

/** How update-with-start starts the creation of a group, or finds it; every step of it may be repeated. */
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

/** What the start must give. */
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
