import { query, update } from '../contracts/definitions.ts';
import type { Refusal } from '../contracts/refusal.ts';
import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { either, name, object, oneOf, optional, pair, text, userId } from '../input/shapes.ts';

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
/**
 * `conversationId` is set when accepted (and nobody ended the friendship again in between); `decidedAt`, Unix
 * milliseconds, unless the step that decided was done by an earlier release.
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

/** One name per pair of users, the same for both directions. */
export const friendRequestId = (a: string, b: string): string => `friend-request/${inOrder(a, b).join(':')}`;

/**
 * How update-with-start starts the pair's flow, or finds it. Closed runs may be followed by new ones: the row in the
 * database decides, so a decision or a new request never depends on which run it meets.
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

/** By number. */
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

/** What the start and each update must give. */
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
