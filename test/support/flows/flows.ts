// Room: a time-skipping Temporal server with GoChat's workflows, and with activities from the tests. No real service
// may come in.

import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { Activities } from '../../../activities/index.ts';
import { type WorkflowBundle, workflowBundle } from '../../../services/task/temporal/workflow-bundle.ts';
import { searchAttributeTypes } from '../../../workflows/contracts/search-attributes.ts';
import { taskQueues } from '../../../workflows/contracts/task-queues.ts';

export type TestTemporal = {
  client: Client;
  environment: TestWorkflowEnvironment;
  /** Runs `work` while a worker executes all flows with these activities. */
  withWorker<T>(activities: Partial<Activities>, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

/** A Temporal server whose clock skips to the next timer, so that thirty days take no time. */
export async function createTestTemporal(): Promise<TestTemporal> {
  const path = binary('TEMPORAL_TEST_SERVER_PATH');
  quiet();
  const [environment, bundle] = await Promise.all([
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }),
    workflowBundle(process.env.WORKFLOW_BUNDLE_FILE ?? ''),
  ]);
  // A flow that sets an unregistered attribute would hang.
  await environment.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    // The numbers are those of Temporal's enum IndexedValueType.
    searchAttributes: { ConversationId: 2, UserId: 2, UserIds: 7 },
  });
  return testTemporalOn(environment, bundle);
}

/** Temporal's development server, without time skipping. */
export async function createRealTimeTestTemporal(): Promise<TestTemporal> {
  const path = binary('TEMPORAL_CLI_PATH');
  quiet();
  const [environment, bundle] = await Promise.all([
    TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        extraArgs: Object.entries(searchAttributeTypes).flatMap(([name, type]) => [
          '--search-attribute',
          `${name}=${type}`,
        ]),
      },
    }),
    workflowBundle(process.env.WORKFLOW_BUNDLE_FILE ?? ''),
  ]);
  return testTemporalOn(environment, bundle);
}

let isQuiet = false;

/**
 * Logs errors only. This must not run on import: the SDK's runtime keeps a process alive until a server is closed.
 */
function quiet(): void {
  if (isQuiet) return;
  isQuiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
}

function binary(variable: string): string {
  const path = process.env[variable];
  if (!path) throw new Error(`${variable} is not set: run the tests by \`npm test\``);
  return path;
}

function testTemporalOn(environment: TestWorkflowEnvironment, bundle: WorkflowBundle): TestTemporal {
  const createWorker = (taskQueue: string, activities: Partial<Activities>) =>
    Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle: bundle,
      activities,
    });
  return {
    client: environment.client,
    environment,
    async withWorker(activities, work) {
      const workers = await Promise.all(
        Object.values(taskQueues).map((taskQueue) => createWorker(taskQueue, activities)),
      );
      return workers.reduce((running, worker) => () => worker.runUntil(running), work)();
    },
    close: () => environment.teardown(),
  };
}
