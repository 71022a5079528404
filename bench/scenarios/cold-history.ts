import { randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import {
  type ArchiveColdMessagesInput,
  type ArchiveColdMessagesResult,
  archiveColdMessages,
} from '../../workflows/archive-cold-messages/contract.ts';
import type { Laboratory, Report, Scenario } from '../laboratory/laboratory.ts';
import type { RestCall } from '../load/commands.ts';
import type { LoadProcesses } from '../load/processes.ts';
import { figure, figuresOnly, messageStep, restStep } from '../steps/steps.ts';
import { callsOf, seedsOf } from './growth.ts';
import { expectAllAnswered, pairsTalking, warmedUp } from './message-routes.ts';
import { expectAnswers, loadRest } from './rest-load.ts';

const page = 50;
const callers = 4;
const members = 10;
/** More positions in the history than any cache holds. */
const places = 1000;

/**
 * Pages of a long conversation in the database and in the cold store, sends and pages while messages are archived at full speed, and
 * how fast that is.
 */
export const coldHistory: Scenario = {
  name: 'cold-history',
  title: 'Archived messages',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const { options, system } = laboratory;
      const seeds = seedsOf(laboratory);
      if (!seeds) return;
      const key = `cold history of ${options.depth} messages ${randomUUID()}`;
      let conversationId = '';
      const crew = await laboratory.accounts.crew(key, members, async (fresh) => {
        const memberIds = fresh.map(({ userId }) => userId);
        conversationId = await seeds.group(key, memberIds, options.depth);
      });
      const path = `/conversations/${conversationId}/messages?limit=${page}`;
      const anywhere = Array.from({ length: places }, (_, index): RestCall => {
        const beforeSeq = page + 1 + ((index * 7919) % Math.max(1, options.depth - 10 * page));
        return {
          method: 'GET',
          path: `${path}&beforeSeq=${beforeSeq}`,
          accessToken: crew[index % members]?.accessToken ?? '',
        };
      });
      const read = (label: string, calls: RestCall[]) => measurePages(laboratory, load, report, label, calls);

      await read('page anywhere, in the database', anywhere);
      await measureSends(laboratory, load, report, 'send, nothing is archived');
      await read('list, nothing is archived', callsOf(crew, '/conversations?limit=50'));

      const connection = await Connection.connect({ address: system.temporalAddress });
      try {
        const client = new Client({ connection, namespace: 'gochat' });
        const startedAt = performance.now();
        const archived = archive(client, {
          olderThanDays: 0,
          keepNewest: 200,
          graceHours: 0,
          conversationId,
        });
        await measureSends(laboratory, load, report, 'send, while messages are archived');
        await read('list, while messages are archived', callsOf(crew, '/conversations?limit=50'));
        const result = await archived;
        const seconds = (performance.now() - startedAt) / 1000;
        report.step({
          label: 'archiving, from the start of the flow to its end',
          figures: [
            figure('archived', result.archived, '', 'neither'),
            figure('archived and deleted', result.archived / seconds, '/s', 'higher'),
            figure('bytes per message', result.bytes / Math.max(1, result.archived), 'B', 'lower'),
            figure('all objects', sizeOf(join(system.home, 'cold')) / 2 ** 20, 'MiB', 'neither'),
          ],
          ...figuresOnly,
        });
        if (result.deleted !== result.archived)
          report.fault(`${result.archived - result.deleted} messages were not deleted`);
      } finally {
        await connection.close();
      }
      await read('page anywhere, archived', anywhere);
    }),
};

const archive = (client: Client, input: ArchiveColdMessagesInput): Promise<ArchiveColdMessagesResult> =>
  client.workflow.execute(archiveColdMessages.workflowType, {
    taskQueue: archiveColdMessages.taskQueue,
    workflowId: `archive-${randomUUID()}`,
    args: [input],
  });

async function measurePages(
  laboratory: Laboratory,
  load: LoadProcesses,
  report: Report,
  label: string,
  calls: RestCall[],
): Promise<void> {
  const { seconds } = laboratory.options;
  const measured = await loadRest(laboratory, load, { calls, seconds, connections: callers });
  report.step(restStep(`${label}, ${callers} callers`, measured));
  expectAnswers(report, label, measured.value);
}

async function measureSends(
  laboratory: Laboratory,
  load: LoadProcesses,
  report: Report,
  label: string,
): Promise<void> {
  const { seconds, growRate } = laboratory.options;
  const talk = await pairsTalking(laboratory, load, 20);
  const measured = await warmedUp(laboratory, talk, { rate: growRate, seconds });
  report.step(messageStep(label, measured));
  expectAllAnswered(report, label, measured.value);
  await talk.clients.settle(report, label);
  await talk.clients.disconnect([...new Set(talk.routes.map(({ session }) => session))]);
}

/** The bytes of all files in a folder. */
const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
