import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { retryPolicy } from '../steps/retry-policy.ts';

export const { findIdleGuests } = proxyActivities<Pick<Activities, 'findIdleGuests'>>({
  startToCloseTimeout: '20s',
  retry: retryPolicy,
  summary: 'find guests whom nobody has seen for long',
});

/** A guest takes some ten milliseconds, and ends with a heartbeat; one who wrote much has one for each page. */
export const { eraseGuests } = proxyActivities<Pick<Activities, 'eraseGuests'>>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '60s',
  retry: retryPolicy,
  summary: 'erase a page of guests',
});
