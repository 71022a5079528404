import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { insisting } from './steps/durable-retry.ts';

/** Of a step, before it waits on a timer. */
const attemptsAtOnce = 2;

const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' } as const;

/**
 * A step that somebody waits for: a local activity, which costs no round trips through the server. One that has failed
 * twice waits on a durable timer, so that the history stays short however long im-repo is away. Temporal shows local activities
 * only once they are done, so meanwhile current details say what is tried again, and why.
 */
const local = <K extends keyof Activities>(name: K, summary: string): Activities[K] => {
  const { [name]: step } = proxyLocalActivities<Pick<Activities, K>>({
    startToCloseTimeout: '12s',
    localRetryThreshold: '3s',
    retry: { ...retry, maximumAttempts: attemptsAtOnce },
    summary,
  }) as Record<K, (...args: unknown[]) => Promise<unknown>>;
  return insisting(step, summary) as Activities[K];
};

export const friendshipSteps = {
  createFriendRequest: local('createFriendRequest', 'store the request'),
  settleFriendRequest: local('settleFriendRequest', 'change the status of the request'),
  findFriendRequest: local('findFriendRequest', 'look up the latest request of the pair'),
  openSingleConversation: local('openSingleConversation', 'open the conversation of the two'),
};

export const groupSteps = {
  checkMembers: local('checkMembers', 'check that the members may be added'),
  createHiddenGroup: local('createHiddenGroup', 'store the group with its owner'),
  addFirstMembers: local('addFirstMembers', 'add a batch of members'),
  activateGroup: local('activateGroup', 'show the group to its members'),
  discardGroup: local('discardGroup', 'undo the group'),
};

export const memberSteps = {
  changeMembers: local('changeMembers', 'change who belongs to the group'),
};

/**
 * The streaming activity of a conversation. Each heartbeat and each look at its timeout is a state transition, so they are
 * few: every 5 s, and after 12 s of silence the process is taken for dead and another one goes on a second later, however
 * often that has happened before. One that is restarted does not wait for it: it gives up what the one before it left behind.
 */
export const { streamFanout } = proxyActivities<Pick<Activities, 'streamFanout'>>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '12s',
  // What fails by itself says how long to wait.
  retry: { initialInterval: '1s', backoffCoefficient: 1 },
  summary: 'pass messages on to the members while they come',
});

/** Steps that nobody waits for. */
const { confirmUsersOffline } = proxyActivities<Pick<Activities, 'confirmUsersOffline'>>({
  startToCloseTimeout: '20s',
  retry,
  summary: 'ask who has not come back, and tell of them',
});

/** Each page takes milliseconds and ends with a heartbeat. */
const { cleanUpSessions } = proxyActivities<Pick<Activities, 'cleanUpSessions'>>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '20s',
  retry,
  summary: 'end sessions that nobody ended, by pages',
});

export const presenceSteps = { confirmUsersOffline, cleanUpSessions };

const { findIdleGuests } = proxyActivities<Pick<Activities, 'findIdleGuests'>>({
  startToCloseTimeout: '20s',
  retry,
  summary: 'find guests whom nobody has seen for long',
});

/** A guest takes some ten milliseconds, and ends with a heartbeat; one who wrote much has one for each page. */
const { eraseGuests } = proxyActivities<Pick<Activities, 'eraseGuests'>>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '60s',
  retry,
  summary: 'erase a page of guests',
});

/** Each page ends with a heartbeat; a million messages take some minutes. */
const { redactMessages } = proxyActivities<Pick<Activities, 'redactMessages'>>({
  startToCloseTimeout: '12h',
  heartbeatTimeout: '60s',
  retry,
  summary: 'empty messages, by pages',
});

export const erasureSteps = {
  closeAccount: local('closeAccount', 'sign the account out and erase its profile'),
  endRelationships: local('endRelationships', 'end some friendships, requests and blocks'),
  eraseRequestTexts: local('eraseRequestTexts', 'empty the texts of some friend requests'),
  leaveConversations: local('leaveConversations', 'leave some groups'),
  redactMessages,
  findIdleGuests,
  eraseGuests,
};

export const moderationSteps = {
  muteMembers: local('muteMembers', 'mute members, or let them write again'),
  recallMessages: local('recallMessages', 'recall some messages'),
};

/** Each page ends with a heartbeat. */
export const { compareCounters } = proxyActivities<Pick<Activities, 'compareCounters'>>({
  startToCloseTimeout: '15m',
  heartbeatTimeout: '60s',
  retry,
  summary: 'compare counters with what they count, by pages',
});
