// Room: the way in which flows call and retry their steps. The steps themselves belong to each flow.

import { proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { retriedDurably } from './durable-retry.ts';
import { retryPolicy } from './retry-policy.ts';

/** Attempts of the local activity before the flow waits on a timer. */
const localAttempts = 2;

/**
 * A step of a flow that a client waits for: a local activity, which costs no round trip to the Temporal server. After
 * two failed attempts the flow waits on a durable timer, so that the history stays short however long im-repo is
 * unavailable. Temporal shows local activities only after they have ended, so the current details show a failing step
 * and its cause.
 */
export const localStep = <K extends keyof Activities>(name: K, summary: string): Activities[K] => {
  const { [name]: step } = proxyLocalActivities<Pick<Activities, K>>({
    startToCloseTimeout: '12s',
    localRetryThreshold: '3s',
    retry: { ...retryPolicy, maximumAttempts: localAttempts },
    summary,
  }) as Record<K, (...args: unknown[]) => Promise<unknown>>;
  return retriedDurably(step, summary) as Activities[K];
};
