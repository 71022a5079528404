import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { retryPolicy } from '../steps/retry-policy.ts';

export const { findIdleGuests } = proxyActivities<Pick<Activities, 'findIdleGuests'>>({
  startToCloseTimeout: '20s',
  retry: retryPolicy,
  summary: 'find inactive guests',
});

/** A guest takes some tens of milliseconds and ends with a heartbeat; a guest with many messages has one per page. */
export const { eraseGuests } = proxyActivities<Pick<Activities, 'eraseGuests'>>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '60s',
  retry: retryPolicy,
  summary: 'erase a page of guests',
});
