/** The shape of every input of every flow. The types, and what the fields mean, are in the contracts. */
import type {
  ChangeMembersArgs,
  CleanupExpiredStatusInput,
  CleanupProgress,
  ConfirmOfflineArgs,
  CreateGroupArgs,
  DecideInput,
  DisconnectedUser,
  FanoutArgs,
  FriendRequestArgs,
  FriendRequestCommand,
  MemberChange,
  RequestInput,
  WithdrawInput,
} from './contracts.ts';
import {
  count,
  either,
  exactly,
  flag,
  list,
  messageId,
  milliseconds,
  moment,
  name,
  object,
  oneOf,
  optional,
  pair,
  type Shape,
  text,
  userId,
  wait,
} from './input/shapes.ts';
import type {
  CounterFindings,
  EraseUserArgs,
  ModerateConversationInput,
  PurgeGuestsInput,
  PurgeProgress,
  ReconcileCountersInput,
} from './job-contracts.ts';

type Command<Update extends FriendRequestCommand['update']> = Extract<
  FriendRequestCommand,
  { update: Update }
>;

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

const manyMembers = object<Extract<MemberChange, { userIds: string[] }>>({
  kind: oneOf('add', 'remove'),
  userIds: list(userId),
});

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

export const fanoutInput = object<FanoutArgs>({ conversationId: name });

/** One of those whom confirmOffline waits for: what one record of the topic must give. */
export const disconnectedUser = object<DisconnectedUser>({ userId, epoch: name, lastActiveAt: moment });

export const confirmOfflineInput = object<ConfirmOfflineArgs>({
  users: list(disconnectedUser),
  disconnectedAt: moment,
  confirmMs: wait,
});

export const cleanupInputs: { start: Shape<CleanupExpiredStatusInput>; soFar: Shape<CleanupProgress> } = {
  start: exactly<CleanupExpiredStatusInput>({
    dryRun: optional(flag),
    olderThanMs: optional(milliseconds),
  }),
  soFar: object<CleanupProgress>({ cursor: text, offline: count, sessionsRemoved: count }),
};

export const eraseUserInput = exactly<EraseUserArgs>({ userId, redactMessages: optional(flag) });

export const moderateConversationInput = exactly<ModerateConversationInput>({
  conversationId: name,
  recall: optional(list(messageId)),
  mute: optional(list(userId)),
  unmute: optional(list(userId)),
});

export const purgeGuestsInputs: { start: Shape<PurgeGuestsInput>; soFar: Shape<PurgeProgress> } = {
  start: exactly<PurgeGuestsInput>({ dryRun: optional(flag), idleMs: optional(milliseconds) }),
  soFar: object<PurgeProgress>({ idleBefore: moment, cursor: text, found: count, erased: count }),
};

export type ReconcileProgress = { after: string; findings: CounterFindings };

export const reconcileInputs: { start: Shape<ReconcileCountersInput>; soFar: Shape<ReconcileProgress> } = {
  start: exactly<ReconcileCountersInput>({ dryRun: optional(flag) }),
  soFar: object<ReconcileProgress>({
    after: text,
    findings: object<CounterFindings>({
      checked: count,
      wrong: object<CounterFindings['wrong']>({
        memberCount: count,
        head: count,
        lastMessage: count,
        readPointers: count,
        unread: count,
      }),
      mended: count,
      conversationIds: list(text),
      unfinishedGroups: optional(count),
    }),
  }),
};
