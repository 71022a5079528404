import type { Scenario } from '../laboratory/laboratory.ts';
import { messageStep } from '../steps/steps.ts';
import { expectAllAnswered, pairsTalking, warmedUp } from './message-routes.ts';

/**
 * 1:1 messages at given rates: the latency of the acknowledgement to the sender, and of the delivery to the friend.
 */
export const oneToOne: Scenario = {
  name: 'one-to-one',
  title: '1:1 messages, open loop',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const { rates, seconds, pairs } = laboratory.options;
      const talk = await pairsTalking(laboratory, load, pairs);
      for (const rate of rates) {
        const label = `${rate} per second`;
        const measured = await warmedUp(laboratory, talk, { rate, seconds });
        report.step(messageStep(label, measured));
        expectAllAnswered(report, label, measured.value);
      }
      await talk.clients.settle(report, '1:1');
    }),
};
