import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { retryPolicy } from '../steps/retry-policy.ts';

/** Ends after half a minute of work, so that the flow can show its progress. An object takes up to a minute. */
export const { compactPage } = proxyActivities<Pick<Activities, 'compactPage'>>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '20s',
  retry: retryPolicy,
  summary: 'rewrite objects',
});
