import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { retryPolicy } from '../steps/retry-policy.ts';

export const { confirmUsersOffline } = proxyActivities<Pick<Activities, 'confirmUsersOffline'>>({
  startToCloseTimeout: '20s',
  retry: retryPolicy,
  summary: 'find the users who have not reconnected, and publish events',
});
