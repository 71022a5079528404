import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { localStep } from '../steps/local-step.ts';
import { retryPolicy } from '../steps/retry-policy.ts';

export const closeAccount = localStep('closeAccount', 'sign the account out and erase its profile');
export const endRelationships = localStep('endRelationships', 'end some friendships, requests and blocks');
export const eraseRequestTexts = localStep('eraseRequestTexts', 'empty the texts of some friend requests');
export const leaveConversations = localStep('leaveConversations', 'leave some groups');

/** Each page ends with a heartbeat; a million messages take some minutes. */
export const { redactMessages } = proxyActivities<Pick<Activities, 'redactMessages'>>({
  startToCloseTimeout: '12h',
  heartbeatTimeout: '60s',
  retry: retryPolicy,
  summary: 'empty messages, page by page',
});
