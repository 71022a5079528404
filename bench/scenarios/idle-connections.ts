import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../laboratory/laboratory.ts';
import { createLoadClients } from '../laboratory/load-clients.ts';
import { figure, latencyFigures } from '../steps/steps.ts';
import { residentBytes } from '../system/usage.ts';

/** The wait before memory is read, so that V8 can collect the garbage of the handshakes. */
const settleMs = 15_000;
/** The number of sockets per load process. */
const socketsPerProcess = 8000;
/** A user may have several sockets; more accounts than this would only cost time for their registration. */
const maxAccounts = 2000;

const isGateway = (name: string) => name.startsWith('gateway');

/** The cost of an idle connection: memory of the gateways, and CPU time for the heartbeats. */
export const idleConnections: Scenario = {
  name: 'idle-connections',
  title: 'Idle connections',
  async run(laboratory, report) {
    const max = Math.max(...laboratory.options.connections);
    const accounts = await laboratory.accounts.take(Math.min(max, maxAccounts));
    await laboratory.withLoad(Math.ceil(max / socketsPerProcess), async (load) => {
      const clients = createLoadClients(laboratory, load);
      const before = residentBytes(laboratory.system.home, isGateway);
      const sockets: number[] = [];
      for (const target of laboratory.options.connections.toSorted((a, b) => a - b)) {
        while (sockets.length < target) {
          const account = accounts[sockets.length % accounts.length];
          if (account) sockets.push(clients.add(account, []));
        }
        const opening = await laboratory.measure(() => clients.connect());
        const idle = await laboratory.measure(() => sleep(settleMs));
        const bytes = residentBytes(laboratory.system.home, isGateway) - before;
        report.step({
          label: `${target} connections`,
          figures: [
            figure('memory a connection', bytes / target / 1024, 'KiB', 'lower'),
            figure('opened', opening.value.opened / opening.seconds, '/s', 'higher'),
            ...latencyFigures('welcome', opening.value.latency),
            figure(
              'gateway cores while idle',
              idle.usage.filter(({ name }) => isGateway(name)).reduce((sum, { cores }) => sum + cores, 0),
              'cores',
              'lower',
            ),
          ],
          latencies: [{ name: 'welcome', data: opening.value.latency }],
          usage: idle.usage,
          stages: opening.stages,
          notes: before === 0 ? ['the gateways are not in run.json: their memory cannot be read'] : [],
        });
      }
      await clients.settle(report, 'idle');
    });
  },
};
