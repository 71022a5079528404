import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { retryPolicy } from '../steps/retry-policy.ts';

export const { readArchiveSettings } = proxyActivities<Pick<Activities, 'readArchiveSettings'>>({
  startToCloseTimeout: '20s',
  retry: retryPolicy,
  summary: 'read the settings',
});

/** Each ends after half a minute of work, so that the flow can show its progress. A call to im-repo takes up to a minute. */
const page = { startToCloseTimeout: '10m', heartbeatTimeout: '20s', retry: retryPolicy } as const;

export const { countArchivable } = proxyActivities<Pick<Activities, 'countArchivable'>>({
  ...page,
  summary: 'count old messages',
});

export const { archivePage } = proxyActivities<Pick<Activities, 'archivePage'>>({
  ...page,
  summary: 'archive old messages',
});

export const { deleteArchivedPage } = proxyActivities<Pick<Activities, 'deleteArchivedPage'>>({
  ...page,
  summary: 'delete archived messages from the database',
});
