// Room: the connection to Temporal: workers, namespace, schedules, bundle. Kafka does not belong here.

import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../../../activities/index.ts';
import { keepTrying } from '../../../lib/keep-trying.ts';
import type { Logger } from '../../../lib/log.ts';
import { taskQueues } from '../../../workflows/contracts/task-queues.ts';
import { releaseOrphans, workerIdentity } from './orphans.ts';
import type { WorkflowBundle } from './workflow-bundle.ts';

/** How long activities may take to finish after the workers have stopped polling. */
const shutdownGraceTime = '10s';

/** One worker per task queue. The caches are small on purpose: a waiting flow needs no place in the cache. */
const queues: Record<string, Partial<WorkerOptions>> = {
  [taskQueues.interactive]: { maxCachedWorkflows: 200, maxConcurrentLocalActivityExecutions: 100 },
  // There is one activity per live conversation. The activities themselves bound their concurrent work.
  [taskQueues.fanout]: {
    maxCachedWorkflows: 100,
    maxConcurrentActivityTaskExecutions: 1000,
    // A heartbeat only shows that the process is alive. The progress is in im-repo, at most a fraction of a second old.
    maxHeartbeatThrottleInterval: '5s',
    defaultHeartbeatThrottleInterval: '5s',
  },
  [taskQueues.maintenance]: { maxCachedWorkflows: 50 },
};

export type TemporalWorkers = {
  /** The client on the workers' connection; undefined while Temporal is out of reach. */
  client(): Client | undefined;
  /** True if the workers run and the server answers. */
  ready(): Promise<boolean>;
  stop(): Promise<void>;
};

/** Turns off the SDK's signal handlers, since the service drains by itself, and sends the SDK's logs to `log`. */
export function installRuntime(log: Logger): void {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('INFO', ({ level, message, meta }) =>
      log[levels[level]]({ temporal: { ...meta, sdkComponent: undefined } }, message),
    ),
    // At a lower level, every poller would log each retry during an outage.
    telemetryOptions: { logging: { forward: {}, filter: 'warn,temporalio_client=error' } },
  });
}

/**
 * Runs the workers of all task queues on one connection until `stop`. While Temporal is down, it retries; flows
 * continue when Temporal is back.
 */
export function runWorkers(options: {
  address: string;
  namespace: string;
  /** The name of the process, which must stay the same after a restart. */
  taskId: string;
  activities: Activities;
  workflowBundle: WorkflowBundle;
  log: Logger;
}): TemporalWorkers {
  const { namespace, log } = options;
  const stopping = new AbortController();
  let current: { client: Client; workers: Worker[] } | undefined;

  async function serve(): Promise<void> {
    const connection = await NativeConnection.connect({
      address: options.address,
      // Within one host or data centre, compression costs more than it saves.
      grpcCompression: { codec: 'none' },
    });
    try {
      const client = new Client({ connection, namespace });
      const identity = workerIdentity(options.taskId);
      void releaseOrphans({ client, identity, log });
      const workers = await Promise.all(
        Object.entries(queues).map(([taskQueue, settings]) =>
          Worker.create({
            connection,
            namespace,
            identity,
            taskQueue,
            activities: options.activities,
            workflowBundle: options.workflowBundle,
            shutdownGraceTime,
            reuseV8Context: true,
            workflowThreadPoolSize: 1,
            ...settings,
          }),
        ),
      );
      current = { client, workers };
      log.info('workers are running');
      const runs = workers.map((worker) => worker.run().finally(() => shutDown(workers)));
      if (stopping.signal.aborted) shutDown(workers);
      const ended = await Promise.allSettled(runs);
      const failed = ended.find((run) => run.status === 'rejected');
      if (failed) throw failed.reason;
      if (!stopping.signal.aborted) throw new Error('the workers ended without being stopped');
    } finally {
      current = undefined;
      await connection.close();
    }
  }

  const ended = keepTrying('run the Temporal workers', serve, { log, signal: stopping.signal }).catch(
    (error: unknown) => {
      if (!stopping.signal.aborted) throw error;
    },
  );

  return {
    client: () => current?.client,
    async ready() {
      if (!current?.workers.every((worker) => worker.getState() === 'RUNNING')) return false;
      await current.client.workflowService.getSystemInfo({});
      return true;
    },
    async stop() {
      stopping.abort();
      shutDown(current?.workers ?? []);
      await ended;
    },
  };
}

function shutDown(workers: Worker[]): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}
