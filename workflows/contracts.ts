/**
 * What callers and flows agree on: names, arguments and results. Pure data, so that services and workflows can
 * both import it. Payloads carry ids; callers fetch the objects from im-repo afterwards.
 */
import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common';
import type { Code } from '../lib/errors.ts';
import { userIdsAttribute } from './contracts/search-attributes.ts';
import {
  changeMembersId,
  confirmOfflineId,
  createGroupId,
  fanoutId,
  friendRequestId,
  type RecordPlace,
  taskQueues,
} from './ids.ts';

/** A business refusal is a result: it stays the answer of its update, and no workflow fails over it. */
export type Refusal = {
  ok: false;
  code: Code;
  message: string;
  /** When the same command may succeed, Unix milliseconds, where that is known. */
  retryAt?: number;
};

/**
 * What every command carries. `attempt` is the update id as well: the same attempt sent again, or found in the
 * start arguments, is carried out once and answered alike.
 */
type Attempt = { attempt: string };

export type RequestInput = Attempt & {
  requesterId: string;
  targetId: string;
  /** Where im-repo keeps what the requester wrote; none when nothing was. */
  textsId?: string | undefined;
  /** Of runs that began when texts were carried along. */
  message?: string | undefined;
};
export type DecideInput = Attempt & { requestId: string; actorId: string; action: 'accept' | 'reject' };
export type WithdrawInput = Attempt & { requestId: string; actorId: string };

/** `conversationId` is set when the other one's request was pending: asking back accepts it. */
export type RequestResult = { ok: true; requestId: string; conversationId?: string } | Refusal;
/** `conversationId` is set when accepted (and nobody ended the friendship again in between). */
export type DecideResult = { ok: true; requestId: string; conversationId?: string } | Refusal;
export type WithdrawResult = { ok: true; requestId: string } | Refusal;

export type FriendRequestCommand =
  | { update: 'request'; input: RequestInput }
  | { update: 'decide'; input: DecideInput }
  | { update: 'withdraw'; input: WithdrawInput };

export type FriendRequestArgs = {
  /** The pair, the lower id (by number) first. */
  userIds: [low: string, high: string];
  /** The command that started the run: carried out even if its update got lost with a server. */
  opening?: FriendRequestCommand;
};

export type FriendRequestState = {
  phase: 'working' | 'pending' | 'closed';
  requestId?: string;
  /** FriendRequestStatus of the request named. */
  status?: number;
  expiresAt?: number;
  conversationId?: string;
};

export const friendRequest = {
  workflowType: 'friendRequest',
  request: update<RequestResult, RequestInput>('request'),
  decide: update<DecideResult, DecideInput>('decide'),
  withdraw: update<WithdrawResult, WithdrawInput>('withdraw'),
  state: query<FriendRequestState>('state'),
} as const;

/**
 * How update-with-start starts the pair's flow, or finds it. Closed runs may be followed by new ones: the row in the
 * database decides, so a decision or a new request never depends on which run it meets.
 */
export function friendRequestStart(userIds: readonly [string, string], opening: FriendRequestCommand) {
  const [a, b] = userIds;
  const pair: [string, string] = BigInt(a) < BigInt(b) ? [a, b] : [b, a];
  const actor = opening.update === 'request' ? opening.input.requesterId : opening.input.actorId;
  return {
    workflowId: friendRequestId(a, b),
    taskQueue: taskQueues.interactive,
    args: [{ userIds: pair, opening }] as [FriendRequestArgs],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    searchAttributes: { UserId: [actor], UserIds: userIdsAttribute([actor, ...pair]) },
    staticSummary: `Friend request between ${pair[0]} and ${pair[1]}`,
  };
}

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

export type MemberChange =
  | { kind: 'add' | 'remove'; userIds: string[] }
  | { kind: 'dissolve' }
  | { kind: 'transfer'; userId: string };

export type ChangeMembersArgs = {
  conversationId: string;
  /** Names the change: derived from the actor's Idempotency-Key, or fresh. */
  key: string;
  actorId: string;
  change: MemberChange;
};

export type ChangeMembersResult =
  | { ok: true; added?: string[]; alreadyMembers?: string[]; refused?: string[]; removed?: string[] }
  | Refusal;

export const changeMembers = {
  workflowType: 'changeMembers',
  /** Waits for the outcome. It takes nothing: the start arguments say all. */
  result: update<ChangeMembersResult>('result'),
} as const;

/** How update-with-start starts a change, or finds it; a change that is repeated after its run answers the same. */
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

export type FanoutArgs = { conversationId: string };

export const fanoutMessages = {
  workflowType: 'fanoutMessages',
  /** There are messages beyond what was fanned out. */
  wake: signal('wake'),
} as const;

/** How signal-with-start wakes the fan-out of a conversation, or starts it. */
export function fanoutStart(conversationId: string) {
  return {
    workflowId: fanoutId(conversationId),
    taskQueue: taskQueues.fanout,
    args: [{ conversationId }] as [FanoutArgs],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    searchAttributes: { ConversationId: [conversationId] },
    staticSummary: `Messages of conversation ${conversationId} to its members`,
  };
}

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

/** What the command line may give; all of it is optional. */
export type CleanupExpiredStatusInput = {
  /** Only counts. */
  dryRun?: boolean;
  /** Sessions silent for longer than this end, instead of im-repo's own measure. */
  olderThanMs?: number;
};

export type CleanupExpiredStatusResult = { offline: number; sessionsRemoved: number; dryRun: boolean };

export type CleanupProgress = {
  /** The page to ask for next; empty at the beginning and at the end. */
  cursor: string;
  offline: number;
  sessionsRemoved: number;
};

export const cleanupExpiredStatus = {
  workflowType: 'cleanupExpiredStatus',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Ends sessions that nobody ended',
  staticDetails:
    'Sessions of dead gateways and silent ones. Users without another one go offline; friends are told.',
} as const;

function update<Result, Input = never>(name: string) {
  return { type: 'update', name } as UpdateDefinition<Result, [Input] extends [never] ? [] : [Input]>;
}

function query<Result>(name: string) {
  return { type: 'query', name } as QueryDefinition<Result, []>;
}

function signal(name: string) {
  return { type: 'signal', name } as SignalDefinition<[]>;
}
