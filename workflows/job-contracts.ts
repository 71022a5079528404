/** What callers, operators and flows of gochat-maintenance agree on besides presence. Pure data, ids only. */

import { userIdsAttribute } from './contracts/search-attributes.ts';
import type { Refusal } from './contracts.ts';
import { eraseUserId, taskQueues } from './ids.ts';

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

/** What the command line gives. */
export type ModerateConversationInput = {
  conversationId: string;
  /** Ids of messages. */
  recall?: number[] | undefined;
  /** Ids of users, members or not. */
  mute?: string[] | undefined;
  unmute?: string[] | undefined;
};

export type ModerateConversationResult =
  | {
      ok: true;
      /** Without what had been recalled, or muted, before. */
      recalled: number;
      muted: number;
      unmuted: number;
      /** None of the conversation's. */
      unknownMessages: number[];
      /** Nobody's. */
      unknownUsers: string[];
    }
  | Refusal;

export const moderateConversation = {
  workflowType: 'moderateConversation',
  taskQueue: taskQueues.maintenance,
} as const;

/** What the command line may give; all of it is optional. */
export type PurgeGuestsInput = {
  /** Only counts. */
  dryRun?: boolean;
  /** Guests whom nobody saw for as long are erased; seven days unless it is said. */
  idleMs?: number;
};

export type PurgeGuestsResult = {
  /** Guests who had been idle for long enough. */
  found: number;
  /** Without those who came back, or registered, meanwhile. */
  erased: number;
  dryRun: boolean;
};

export type PurgeProgress = {
  /** Unix milliseconds; the same for all pages. */
  idleBefore: number;
  /** The page to ask for next; empty at the beginning and at the end. */
  cursor: string;
  found: number;
  erased: number;
};

export const purgeGuests = {
  workflowType: 'purgeGuests',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Erases guests who have gone for good',
  staticDetails: 'Whom nobody saw for seven days, by the steps that erase an account.',
} as const;

/** What the command line may give. */
export type ReconcileCountersInput = {
  /** Only reports. */
  dryRun?: boolean;
};

/** What a run, or a part of one, has found. */
export type CounterFindings = {
  /** Conversations looked at. */
  checked: number;
  wrong: {
    /** Conversations whose member_count is not the number of their members. */
    memberCount: number;
    /** Conversations whose head is not at their last message. */
    head: number;
    /** Conversations whose last_message_id is not their head's. */
    lastMessage: number;
    /** Read pointers beyond the head. */
    readPointers: number;
    /** Messages that count as unread although they were recalled, or the other way round. */
    unread: number;
  };
  /** Conversations at which all is right now. */
  mended: number;
  /** The first of those at which something was wrong. */
  conversationIds: string[];
  /** Groups whose creation was given up half way, which nobody has ever seen: they are removed. Named if there are any. */
  unfinishedGroups?: number;
};

export type ReconcileCountersResult = CounterFindings & { dryRun: boolean };

export const reconcileCounters = {
  workflowType: 'reconcileCounters',
  taskQueue: taskQueues.maintenance,
  staticSummary: 'Compares counters with what they count',
  staticDetails:
    'member_count, heads, last messages, read pointers and unread counts of all conversations; mends them.',
} as const;

const mostConversationIds = 50;

export const noFindings = (): CounterFindings => ({
  checked: 0,
  wrong: { memberCount: 0, head: 0, lastMessage: 0, readPointers: 0, unread: 0 },
  mended: 0,
  conversationIds: [],
});

export const addFindings = (a: CounterFindings, b: CounterFindings): CounterFindings => ({
  checked: a.checked + b.checked,
  wrong: {
    memberCount: a.wrong.memberCount + b.wrong.memberCount,
    head: a.wrong.head + b.wrong.head,
    lastMessage: a.wrong.lastMessage + b.wrong.lastMessage,
    readPointers: a.wrong.readPointers + b.wrong.readPointers,
    unread: a.wrong.unread + b.wrong.unread,
  },
  mended: a.mended + b.mended,
  conversationIds: [...a.conversationIds, ...b.conversationIds].slice(0, mostConversationIds),
  ...unfinishedOf((a.unfinishedGroups ?? 0) + (b.unfinishedGroups ?? 0)),
});

const unfinishedOf = (unfinishedGroups: number) => (unfinishedGroups === 0 ? {} : { unfinishedGroups });
