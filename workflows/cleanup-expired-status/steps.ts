import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { retryPolicy } from '../steps/retry-policy.ts';

/** Each page takes milliseconds and ends with a heartbeat. */
export const { cleanUpSessions } = proxyActivities<Pick<Activities, 'cleanUpSessions'>>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '20s',
  retry: retryPolicy,
  summary: 'remove expired sessions, page by page',
});
