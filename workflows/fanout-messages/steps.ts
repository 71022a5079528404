import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';

/**
 * The streaming activity of a conversation. Each heartbeat and each timeout check is a state transition of the
 * server, so there is one heartbeat per 5 s. After 12 s without a heartbeat the process counts as dead, and one
 * second later another process continues, at every attempt. A process that restarts need not wait: it fails the
 * activities that its predecessor left.
 */
export const { streamFanout } = proxyActivities<Pick<Activities, 'streamFanout'>>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '12s',
  // An activity that fails in a running process gives its own retry delay.
  retry: { initialInterval: '1s', backoffCoefficient: 1 },
  summary: 'deliver messages to the members as they arrive',
});
