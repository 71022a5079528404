// Room: how steps are called and tried again. Which steps there are is for each flow to say.

import { proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { retriedDurably } from './durable-retry.ts';
import { retryPolicy } from './retry-policy.ts';

/** Of a step, before it waits on a timer. */
const attemptsAtOnce = 2;

/**
 * A step that somebody waits for: a local activity, which costs no round trips through the server. One that has failed
 * twice waits on a durable timer, so that the history stays short however long im-repo is away. Temporal shows local activities
 * only once they are done, so meanwhile current details say what is tried again, and why.
 */
export const localStep = <K extends keyof Activities>(name: K, summary: string): Activities[K] => {
  const { [name]: step } = proxyLocalActivities<Pick<Activities, K>>({
    startToCloseTimeout: '12s',
    localRetryThreshold: '3s',
    retry: { ...retryPolicy, maximumAttempts: attemptsAtOnce },
    summary,
  }) as Record<K, (...args: unknown[]) => Promise<unknown>>;
  return retriedDurably(step, summary) as Activities[K];
};
