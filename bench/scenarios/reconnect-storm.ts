import type { Account } from '../fixtures/cache.ts';
import type { Laboratory, Scenario } from '../laboratory/laboratory.ts';
import { createLoadClients, mergeCounts } from '../laboratory/load-clients.ts';
import { inParallel } from '../load/sessions.ts';
import { mergeHistograms } from '../measure/histogram.ts';
import { figure, latencyFigures } from '../steps/steps.ts';

const groupSize = 100;
const missedMessages = 20;
/** Clients reconnect with jitter; this many reconnect at the same time. */
const parallel = 200;
const parallelLists = 8;

/** All sockets are dropped at once and messages continue; then all clients reconnect and sync the missed messages. */
export const reconnectStorm: Scenario = {
  name: 'reconnect-storm',
  title: 'Reconnect storm with sync',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const { storm } = laboratory.options;
      const group = await laboratory.conversations.group('storm', groupSize);
      const accounts = await laboratory.accounts.take(Math.max(groupSize, storm));
      const cursors = await cursorsOf(laboratory, accounts.slice(0, storm));
      const head = await laboratory.conversations.head(group.conversationId, group.owner);

      const clients = createLoadClients(laboratory, load);
      for (const [index, account] of accounts.slice(0, storm).entries()) {
        clients.add(account, index < groupSize ? [[group.conversationId, head]] : []);
      }
      await clients.connect();
      await load.callEach('drop', () => ({}));
      for (let message = 0; message < missedMessages; message += 1) {
        await laboratory.rest.call(
          'POST',
          `/conversations/${group.conversationId}/messages`,
          group.owner.accessToken,
          { clientMsgId: `storm-${head}-${message}`, content: `missed ${message}` },
        );
      }
      const measured = await laboratory.measure(() =>
        load.callEach('reconnect', () => ({ parallel: Math.ceil(parallel / load.all.length), cursors })),
      );
      const reports = measured.value;
      const welcome = mergeHistograms(reports.map((part) => part.welcome));
      const synced = mergeHistograms(reports.map((part) => part.synced));
      const messages = reports.reduce((sum, part) => sum + part.messagesSynced, 0);
      report.step({
        label: `${storm} sockets`,
        figures: [
          figure('back', welcome.count / measured.seconds, '/s', 'higher'),
          ...latencyFigures('welcome', welcome),
          ...latencyFigures('synced', synced),
          figure('messages synced', messages, '', 'neither'),
        ],
        latencies: [
          { name: 'welcome', data: welcome },
          { name: 'synced', data: synced },
        ],
        usage: measured.usage,
        stages: measured.stages,
        notes: ['latencies count from the moment of the drop'],
      });
      for (const [message, times] of Object.entries(mergeCounts(reports.map((part) => part.failures)))) {
        report.fault(`${times} sockets did not reconnect: ${message}`);
      }
      const expected = missedMessages * Math.min(groupSize, storm);
      if (messages < expected) report.fault(`sync returned ${messages} messages instead of ${expected}`);
      await clients.settle(report, 'storm', { heads: [[group.conversationId, head + missedMessages]] });
    }),
};

/** The current cursors of these users in all their conversations, so that a sync returns only missed messages. */
async function cursorsOf(
  laboratory: Laboratory,
  accounts: Account[],
): Promise<[userId: string, cursors: [string, number][]][]> {
  const all: [string, [string, number][]][] = [];
  await inParallel(accounts, parallelLists, async ({ userId, accessToken }) => {
    const cursors: [string, number][] = [];
    for (let more = true; more; ) {
      const page = await laboratory.rest.call<{
        conversations: { id: string; type: number; lastSeqId: number }[];
        hasMore: boolean;
      }>('GET', `/conversations?limit=100&offset=${cursors.length}`, accessToken);
      cursors.push(...page.conversations.map(({ id, lastSeqId }): [string, number] => [id, lastSeqId]));
      more = page.hasMore;
    }
    all.push([userId, cursors]);
  });
  return all;
}
