import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../laboratory/laboratory.ts';
import type { LoadClients } from '../laboratory/load-clients.ts';
import { figure, figuresOnly, messageStep } from '../steps/steps.ts';
import { expectAllAnswered, groupTalking, warmedUp } from './message-routes.ts';

const members = 40;
const slow = 5;
const messagesPerSecond = 250;
/**
 * Long messages, since the kernel's buffers (some 10 MB per socket) must fill before the gateway notices a slow
 * reader.
 */
const payload = 3500;
/** The gateway's close code for a session that reads too slowly. */
const tooSlow = '4002';
const closeDeadlineMs = 10_000;

/** Some members of a busy group stop reading: the gateway must close their sockets without delays for the others. */
export const slowReaders: Scenario = {
  name: 'slow-readers',
  title: `${slow} slow readers among ${members} members`,
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const group = await laboratory.conversations.group('slow', members);
      const talk = await groupTalking(laboratory, load, group);
      const { seconds } = laboratory.options;
      const fast = { clients: talk.clients, routes: talk.routes.slice(slow) };
      const how = { rate: messagesPerSecond, seconds, payload };

      const alone = await warmedUp(laboratory, fast, how);
      report.step(messageStep('everybody reads', alone));
      const hanging = talk.routes.slice(0, slow).map(({ session }) => session);
      await talk.clients.setReading(hanging, false);
      const mixed = await laboratory.measure(() => fast.clients.send(fast.routes, how));
      await talk.clients.setReading(hanging, true);
      const closed = await closedAsSlow(talk.clients);
      report.step(messageStep(`${slow} hang`, mixed, [figure('closed as too slow', closed, '', 'neither')]));
      expectAllAnswered(report, 'slow readers', mixed.value);
      if (closed < slow) {
        report.step({
          label: 'kept',
          figures: [figure('slow sockets kept', slow - closed, '', 'neither')],
          ...figuresOnly,
          notes: ['these were within their buffer for so short a time: try --seconds 60'],
        });
      }
      // The sockets that stayed open must have received all messages.
      await talk.clients.settle(report, 'slow readers', { expectedCloses: [tooSlow, '1006'] });
    }),
};

/** Resumes the slow sockets, since a socket sees that it was closed only when it reads again. */
async function closedAsSlow(clients: LoadClients): Promise<number> {
  const deadline = Date.now() + closeDeadlineMs;
  let closed = 0;
  while (closed < slow && Date.now() < deadline) {
    await sleep(200);
    const closes = await clients.closes();
    closed = (closes[tooSlow] ?? 0) + (closes['1006'] ?? 0);
  }
  return closed;
}
