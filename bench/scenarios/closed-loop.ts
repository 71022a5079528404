import type { Scenario } from '../laboratory/laboratory.ts';
import { messageStep } from '../steps/steps.ts';
import { pairsTalking, warmedUp } from './message-routes.ts';

/**
 * A closed loop: every sender sends the next message when the last one is acknowledged. It shows the throughput
 * without overload. The latencies are better than in real use, since no sender sends faster than the system answers.
 */
export const closedLoop: Scenario = {
  name: 'closed-loop',
  title: '1:1 messages, closed loop',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const { seconds, pairs } = laboratory.options;
      const talk = await pairsTalking(laboratory, load, pairs);
      const callers = talk.routes.length;
      for (const senders of [1, Math.ceil(callers / 8), callers]) {
        const routes = talk.routes.slice(0, senders);
        const measured = await warmedUp(laboratory, { ...talk, routes }, { inFlight: 1, seconds });
        report.step(messageStep(`${senders} in flight`, measured));
      }
      await talk.clients.settle(report, 'closed loop');
    }),
};
