import { randomUUID } from 'node:crypto';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import pLimit from 'p-limit';
import type { Logger } from '../../../lib/log.ts';
import { fanoutMessages } from '../../../workflows/fanout-messages/contract.ts';

/** io.temporal PendingActivityState. */
const started = 2;
/** After this time, Temporal has found all orphans by itself, by their missing heartbeats. */
const searchDeadlineMs = 15_000;
const maxConcurrent = 16;
/** Maximum number of flows to search: more than can be searched before the deadline. */
const maxFlows = 20_000;

/** The identity of a process's workers: the process's id, and a random id of this start. */
export const workerIdentity = (taskId: string): string => `${taskId}@${randomUUID()}`;

/** True if `other` is an earlier start of the same process. It has ended, since a TASK_ID must be unique. */
export const isPredecessor = (other: string, identity: string): boolean =>
  other !== identity &&
  other.slice(0, other.lastIndexOf('@')) === identity.slice(0, identity.lastIndexOf('@'));

/**
 * Fails the fan-out activities that an earlier start of this process left behind when it was killed (orphans).
 * Temporal then starts them again at once, instead of after the heartbeat timeout. Never rejects: for orphans that it
 * misses, the heartbeat timeout ends the activity.
 *
 * If the earlier start is still alive, both processes deliver the same messages, each in order, until the earlier one
 * learns at its next heartbeat that its activity failed: users may get a message twice, but none out of order.
 */
export async function releaseOrphans(deps: { client: Client; identity: string; log: Logger }): Promise<void> {
  const { client, log } = deps;
  const until = Date.now() + searchDeadlineMs;
  const isOver = () => Date.now() > until;
  let released = 0;

  async function release({ workflowId, runId }: WorkflowExecutionInfo): Promise<void> {
    const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
    for (const { activityId, state, lastWorkerIdentity } of raw.pendingActivities ?? []) {
      if (!activityId || state !== started) continue;
      if (!isPredecessor(lastWorkerIdentity ?? '', deps.identity)) continue;
      await client.activity.fail({ workflowId, runId, activityId }, processDied());
      released += 1;
    }
  }

  async function search(flow: WorkflowExecutionInfo): Promise<void> {
    if (isOver()) return;
    await release(flow).catch((error: unknown) =>
      log.debug({ err: error, flow: flow.workflowId }, 'cannot search a flow for orphaned activities'),
    );
  }

  try {
    const query = `WorkflowType = '${fanoutMessages.workflowType}' AND ExecutionStatus = 'Running'`;
    const limit = pLimit(maxConcurrent);
    const searches: Promise<void>[] = [];
    for await (const flow of client.workflow.list({ query })) {
      if (isOver() || searches.length === maxFlows) break;
      searches.push(limit(search, flow));
    }
    await Promise.all(searches);
  } catch (error) {
    log.warn({ err: error }, 'cannot search for activities of an earlier start');
  }
  if (released > 0) log.info({ released }, 'failed the orphaned activities of an earlier start');
}

const processDied = () =>
  ApplicationFailure.create({
    message: 'the process of this activity was killed',
    type: 'UNAVAILABLE',
    nextRetryDelay: '1ms',
  });
