import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { Activities } from '../../activities/index.ts';
import { bundleWorkflows, type WorkflowBundle } from '../../services/task/workflow-bundle.ts';
import { taskQueues } from '../../workflows/ids.ts';

export type FlowWorld = {
  client: Client;
  environment: TestWorkflowEnvironment;
  /** Does something while a worker runs all flows with these activities. */
  withWorker<T>(activities: Partial<Activities>, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
});

/** A Temporal server whose clock jumps to the next timer, so that thirty days take no time. */
export async function createFlowWorld(): Promise<FlowWorld> {
  const path = process.env.TEMPORAL_TEST_SERVER_PATH;
  if (!path) throw new Error('TEMPORAL_TEST_SERVER_PATH is not set: run the tests by `npm test`');
  const [environment, bundle] = await Promise.all([
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }),
    bundleWorkflows(),
  ]);
  // A flow that sets an unregistered attribute would hang here.
  await environment.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: { ConversationId: 2, UserId: 2 },
  });
  return worldOn(environment, bundle);
}

function worldOn(environment: TestWorkflowEnvironment, workflowBundle: WorkflowBundle): FlowWorld {
  return {
    client: environment.client,
    environment,
    async withWorker(activities, work) {
      const worker = await Worker.create({
        connection: environment.nativeConnection,
        taskQueue: taskQueues.interactive,
        workflowBundle,
        activities,
      });
      return worker.runUntil(work);
    },
    close: () => environment.teardown(),
  };
}
