import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';

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
