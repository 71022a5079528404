import { randomUUID } from 'node:crypto';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import pLimit from 'p-limit';
import type { Logger } from '../../../lib/log.ts';
import { fanoutMessages } from '../../../workflows/fanout-messages/contract.ts';

/** io.temporal PendingActivityState. */
const started = 2;
/** From then on Temporal has found all of them by itself. */
const longestMs = 15_000;
const atOnce = 16;
/** More than could be looked at in the time. */
const mostFlows = 20_000;

/** How workers call themselves: the process, and this start of it. */
export const workerIdentity = (taskId: string): string => `${taskId}@${randomUUID()}`;

/** Whether it was an earlier start of the same process: it has ended, since two must not have one TASK_ID. */
export const isPredecessor = (other: string, identity: string): boolean =>
  other !== identity &&
  other.slice(0, other.lastIndexOf('@')) === identity.slice(0, identity.lastIndexOf('@'));

/**
 * Gives up the streaming activities that an earlier start of this process left behind when it was killed: Temporal then
 * hands them out at once, instead of after the silence by which it finds out. Never rejects: what it misses is found so.
 *
 * Should the earlier one live all the same, both pass the same messages on, each in order, until it hears of it with its
 * next heartbeat: people may get a message again, and none out of order.
 */
export async function releaseOrphans(deps: { client: Client; identity: string; log: Logger }): Promise<void> {
  const { client, log } = deps;
  const until = Date.now() + longestMs;
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

  async function look(flow: WorkflowExecutionInfo): Promise<void> {
    if (isOver()) return;
    await release(flow).catch((error: unknown) =>
      log.debug({ err: error, flow: flow.workflowId }, 'cannot look for an orphan'),
    );
  }

  try {
    const query = `WorkflowType = '${fanoutMessages.workflowType}' AND ExecutionStatus = 'Running'`;
    const limit = pLimit(atOnce);
    const looks: Promise<void>[] = [];
    for await (const flow of client.workflow.list({ query })) {
      if (isOver() || looks.length === mostFlows) break;
      looks.push(limit(look, flow));
    }
    await Promise.all(looks);
  } catch (error) {
    log.warn({ err: error }, 'cannot look for what an earlier start left behind');
  }
  if (released > 0) log.info({ released }, 'gave up what an earlier start of this process left behind');
}

const processDied = () =>
  ApplicationFailure.create({
    message: 'its process was killed',
    type: 'UNAVAILABLE',
    nextRetryDelay: '1ms',
  });
