import type { Scenario } from '../laboratory/laboratory.ts';
import type { RestCall } from '../load/commands.ts';
import { restStep } from '../steps/steps.ts';
import { libraryOf } from './readers.ts';
import { expectAnswers, loadRest, type RestLoad } from './rest-load.ts';

const rates = [500, 1000, 2500];
const connections = 32;
const differentLengths = 20;
/** With its default limits the gateway allows 20 requests per second and user. */
const callsPerUser = 15;

/** Reads of the newest conversations with their last message and unread count. */
export const conversationList: Scenario = {
  name: 'conversation-list',
  title: 'Conversation list',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const { readers, rows, seconds } = laboratory.options;
      const { seeds } = laboratory;
      const accounts = seeds
        ? (await libraryOf(laboratory, seeds)).readers
        : await laboratory.conversations.rows(readers, rows);
      const page = Math.min(rows, 100);
      const calls = accounts.map(
        ({ accessToken }): RestCall => ({ method: 'GET', path: `/conversations?limit=${page}`, accessToken }),
      );
      const measure = async (label: string, how: RestLoad) => {
        const measured = await loadRest(laboratory, load, how);
        report.step(restStep(label, measured));
        expectAnswers(report, label, measured.value);
        const { conversations } = JSON.parse(measured.value.sample) as { conversations: unknown[] };
        if (conversations.length !== page) {
          report.fault(`${label}: ${conversations.length} rows were returned instead of ${page}`);
        }
      };
      for (const rate of rates.filter((one) => one <= readers * callsPerUser)) {
        await measure(`${page} rows, ${rate} per second`, { calls, rate, seconds });
      }
      await measure(`${page} rows, ${connections} callers`, { calls, connections, seconds });
      // Pages of different lengths are cached separately; together they are more than a gateway caches.
      const lengths = Array.from({ length: differentLengths }, (_, index) => page - index).filter(
        (n) => n > 0,
      );
      const newCalls = lengths.flatMap((length) =>
        accounts.map(
          ({ accessToken }): RestCall => ({
            method: 'GET',
            path: `/conversations?limit=${length}`,
            accessToken,
          }),
        ),
      );
      const label = `about ${page} rows that the gateway does not hold, ${connections} callers`;
      const measured = await loadRest(laboratory, load, { calls: newCalls, connections, seconds });
      report.step(restStep(label, measured));
      expectAnswers(report, label, measured.value);
    }),
};
