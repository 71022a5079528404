import type { Laboratory, Report, Scenario } from '../laboratory/laboratory.ts';
import type { Outcome } from '../laboratory/load-clients.ts';
import type { LoadProcesses } from '../load/processes.ts';
import { createHistogram, type HistogramData } from '../measure/histogram.ts';
import { latencyFigures, messageStep } from '../steps/steps.ts';
import { befriendStrangers, friendStep } from './friend-request.ts';
import { expectAllAnswered, groupTalking, type Talk, warmedUp } from './message-routes.ts';

/** Messages per second: a rate without queueing, and the rate that must be sustained. */
const calm = 2;
const busy = 50;
/** The maximum time between the last send and the last delivery. */
const tolerableBacklogSeconds = 2;
/** The number of members who send. */
const writers = 50;

/** Messages to a group above 500 members, most of whom are offline: the flow fanoutMessages delivers them. */
export const fanout: Scenario = {
  name: 'fanout',
  title: 'Fan-out to a large group',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const talk = await largeGroup(laboratory, load);
      for (const rate of [calm, busy]) {
        const label = `${rate} messages per second`;
        const measured = await warmedUp(laboratory, talk, { rate, seconds: laboratory.options.seconds });
        const lastSocket = lastArrivals(measured.value);
        const step = messageStep(label, measured, latencyFigures('last socket', lastSocket));
        report.step({ ...step, latencies: [...step.latencies, { name: 'last socket', data: lastSocket }] });
        expectAllAnswered(report, label, measured.value);
        expectKeptUp(report, label, measured.value);
      }
      await talk.clients.settle(report, 'fan-out');
    }),
};

/** The latency of a flow that a user waits for, during heavy fan-out. */
export const flowsUnderFanout: Scenario = {
  name: 'flows-under-fanout',
  title: 'Friend requests while a large group is busy',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const { flows, seconds } = laboratory.options;
      const alone = await laboratory.measure(() => befriendStrangers(laboratory, flows));
      report.step(friendStep('alone', alone.value, alone));
      const talk = await largeGroup(laboratory, load);
      const flood = talk.clients.send(talk.routes, { rate: busy, seconds });
      const flooded = await laboratory.measure(() => befriendStrangers(laboratory, flows));
      report.step(friendStep('during the fan-out', flooded.value, flooded));
      expectAllAnswered(report, 'the fan-out meanwhile', await flood);
      await talk.clients.settle(report, 'fan-out');
    }),
};

async function largeGroup(laboratory: Laboratory, load: LoadProcesses): Promise<Talk> {
  const { fanoutMembers, fanoutOnline } = laboratory.options;
  const online = Math.min(fanoutOnline, fanoutMembers);
  const group = await laboratory.conversations.group('fanout', online, fanoutMembers - online);
  const talk = await groupTalking(laboratory, load, group);
  await talk.clients.watchArrivals([group.conversationId]);
  return { ...talk, routes: talk.routes.slice(0, writers) };
}

function lastArrivals({ lastArrivals: arrivals }: Outcome): HistogramData {
  const histogram = createHistogram();
  for (const { sentAt, lastAt } of arrivals) histogram.record(lastAt - sentAt);
  return histogram.data();
}

function expectKeptUp(report: Report, label: string, { lastArrivals: arrivals }: Outcome): void {
  const last = arrivals.at(-1);
  const behind = last ? (last.lastAt - last.sentAt) / 1e6 : 0;
  if (behind > tolerableBacklogSeconds) {
    report.fault(`${label}: fell ${behind.toFixed(1)} s behind`);
  }
}
