import { query, update } from '../contracts/definitions.ts';
import type { Refusal } from '../contracts/refusal.ts';
import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { either, name, object, oneOf, optional, pair, text, userId } from '../input/shapes.ts';

/**
 * The common field of all commands. `attempt` is also the update id: an attempt that arrives twice, or in the start
 * arguments and as an update, is executed once, and both get the same answer.
 */
type Attempt = { attempt: string };

export type RequestInput = Attempt & {
  requesterId: string;
  targetId: string;
  /** The id under which im-repo stores the request's text; undefined without a text. */
  textsId?: string | undefined;
  /** Only in runs of older releases, which carried the text in their input. */
  message?: string | undefined;
};
export type DecideInput = Attempt & { requestId: string; actorId: string; action: 'accept' | 'reject' };
export type WithdrawInput = Attempt & { requestId: string; actorId: string };

/** `conversationId` is set if the other user's request was pending: a request in return accepts it. */
export type RequestResult = { ok: true; requestId: string; conversationId?: string } | Refusal;
/**
 * `conversationId` is set if the request was accepted (and neither user has ended the friendship since). `decidedAt`,
 * Unix milliseconds, is missing if an earlier release executed the deciding step.
 */
export type DecideResult =
  | { ok: true; requestId: string; conversationId?: string; decidedAt?: number }
  | Refusal;
export type WithdrawResult = { ok: true; requestId: string } | Refusal;

export type FriendRequestCommand =
  | { update: 'request'; input: RequestInput }
  | { update: 'decide'; input: DecideInput }
  | { update: 'withdraw'; input: WithdrawInput };

export type FriendRequestArgs = {
  /** The pair, the numerically lower id first. */
  userIds: [low: string, high: string];
  /** The command that started the run: it is executed even if a crash of the server loses its update. */
  opening?: FriendRequestCommand;
};

export type FriendRequestState = {
  phase: 'working' | 'pending' | 'closed';
  requestId?: string;
  /** FriendRequestStatus of the request `requestId`. */
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

/** The workflow id of a pair of users, the same for both directions. */
export const friendRequestId = (a: string, b: string): string => `friend-request/${inOrder(a, b).join(':')}`;

/**
 * Start options for update-with-start, which starts the pair's flow or finds its run. New runs may follow closed
 * ones: the row in the database decides, so the result of a command does not depend on the run that executes it.
 */
export function friendRequestStart(userIds: readonly [string, string], opening: FriendRequestCommand) {
  const [a, b] = userIds;
  const pair = inOrder(a, b);
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

/** Compares the ids as numbers. */
const inOrder = (a: string, b: string): [low: string, high: string] =>
  BigInt(a) < BigInt(b) ? [a, b] : [b, a];

const requestInput = object<RequestInput>({
  attempt: name,
  requesterId: userId,
  targetId: userId,
  textsId: optional(name),
  message: optional(text),
});
const decideInput = object<DecideInput>({
  attempt: name,
  requestId: name,
  actorId: userId,
  action: oneOf('accept', 'reject'),
});
const withdrawInput = object<WithdrawInput>({ attempt: name, requestId: name, actorId: userId });

type Command<Update extends FriendRequestCommand['update']> = Extract<
  FriendRequestCommand,
  { update: Update }
>;

/** The shapes of the start arguments and of each update's argument. */
export const friendRequestInputs = {
  start: object<FriendRequestArgs>({
    userIds: pair(userId),
    opening: optional(
      either<FriendRequestCommand, 'update'>('update', {
        request: object<Command<'request'>>({ update: oneOf('request'), input: requestInput }),
        decide: object<Command<'decide'>>({ update: oneOf('decide'), input: decideInput }),
        withdraw: object<Command<'withdraw'>>({ update: oneOf('withdraw'), input: withdrawInput }),
      }),
    ),
  }),
  request: requestInput,
  decide: decideInput,
  withdraw: withdrawInput,
};
