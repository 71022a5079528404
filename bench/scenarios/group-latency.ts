import type { Scenario } from '../laboratory/laboratory.ts';
import { messageStep } from '../steps/steps.ts';
import { expectAllAnswered, groupTalking, warmedUp } from './message-routes.ts';

const members = 100;
const deliveriesPerSecond = 20_000;

/** The delivery latency of messages in a busy group. */
export const groupLatency: Scenario = {
  name: 'group-latency',
  title: `A group of ${members} online at ${deliveriesPerSecond.toLocaleString('en-GB')} deliveries per second`,
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const group = await laboratory.conversations.group('latency', members);
      const talk = await groupTalking(laboratory, load, group);
      const rate = deliveriesPerSecond / (members - 1);
      const measured = await warmedUp(laboratory, talk, { rate, seconds: laboratory.options.seconds });
      report.step(messageStep('20k deliveries per second', measured));
      expectAllAnswered(report, 'group', measured.value);
      await talk.clients.settle(report, 'group');
    }),
};
