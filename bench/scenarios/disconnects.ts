import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Scenario } from '../laboratory/laboratory.ts';
import { createLoadClients } from '../laboratory/load-clients.ts';
import { figure } from '../steps/steps.ts';

/** Enough time for every disconnect to reach a flow, and for Temporal to list the flow. */
const countMs = 15_000;

/** Many users disconnect at the same time: how many flows and how much CPU time this costs. */
export const disconnects: Scenario = {
  name: 'disconnects',
  title: 'Many disconnects at the same time',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const count = laboratory.options.disconnects;
      const accounts = await laboratory.accounts.take(count);
      const clients = createLoadClients(laboratory, load);
      const keys = accounts.map((account) => clients.add(account, []));
      await clients.connect();
      const connection = await Connection.connect({ address: laboratory.system.temporalAddress });
      try {
        const client = new Client({ connection, namespace: 'gochat' });
        const droppedAt = new Date();
        const measured = await laboratory.measure(async () => {
          await clients.disconnect(keys, true);
          await sleep(countMs);
          return client.workflow.count(
            `WorkflowType = 'confirmOffline' AND StartTime >= '${droppedAt.toISOString()}'`,
          );
        });
        const workflows = measured.value.count;
        report.step({
          label: `${count} users`,
          figures: [
            figure('workflows started', workflows, '', 'lower'),
            figure(
              'CPU of Temporal and task',
              measured.usage
                .filter(({ name }) => name === 'temporal' || name === 'task')
                .reduce((sum, { cores }) => sum + cores * measured.seconds, 0),
              's',
              'lower',
            ),
          ],
          latencies: [],
          usage: measured.usage,
          stages: measured.stages,
          notes: [],
        });
        if (workflows === 0) report.fault('no confirmOffline flow was started');
      } finally {
        await connection.close();
      }
    }),
};
