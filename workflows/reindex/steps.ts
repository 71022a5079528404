import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { retryPolicy } from '../steps/retry-policy.ts';

/** Each step of some thousand messages ends with a heartbeat, from which another try goes on. */
export const { rebuildIndex } = proxyActivities<Pick<Activities, 'rebuildIndex'>>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '60s',
  retry: retryPolicy,
  summary: 'read messages and index their words, step by step',
});
