import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { retryPolicy } from '../steps/retry-policy.ts';

/** Each page ends with a heartbeat. */
export const { compareCounters } = proxyActivities<Pick<Activities, 'compareCounters'>>({
  startToCloseTimeout: '15m',
  heartbeatTimeout: '60s',
  retry: retryPolicy,
  summary: 'compare counters with the rows that they count, page by page',
});
