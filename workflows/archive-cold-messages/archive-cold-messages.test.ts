import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { type ArchiveColdMessagesResult, archiveColdMessages, noStore } from './contract.ts';

const { workflowType, ...start } = archiveColdMessages;
const hour = 3_600_000;
const day = 24 * hour;
let temporal: TestTemporal;
let lastRun = 0;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

async function run(input?: unknown): Promise<ArchiveColdMessagesResult & { startedAt: number }> {
  const handle = await temporal.client.workflow.start(workflowType, {
    ...start,
    workflowId: `archive-${++lastRun}`,
    args: input === undefined ? [] : [input],
  });
  const result: ArchiveColdMessagesResult = await handle.result();
  return { ...result, startedAt: (await handle.describe()).startTime.getTime() };
}

type Which = Parameters<Activities['archivePage']>[0];

/** An archive with two pages of conversations. */
function archive(enabled = true) {
  const asked: Which[] = [];
  const deleted: { archivedBefore: number; conversationId: string }[] = [];
  const steps: Partial<Activities> = {
    readArchiveSettings: async () => ({ enabled, afterDays: 180, keepNewest: 200, graceHours: 24 }),
    countArchivable: async () => ({ messages: 70 }),
    async archivePage(which) {
      asked.push(which);
      const isLast = which.after !== '';
      return { archived: 10, objects: 1, bytes: 100, after: isLast ? '' : '9', more: !isLast };
    },
    async deleteArchivedPage(which) {
      deleted.push(which);
      return { deleted: 4, kept: 1, more: deleted.length < 2 };
    },
  };
  return { asked, deleted, steps };
}

const isAbout = (time: number | undefined, expected: number) =>
  assert.ok(Math.abs((time ?? 0) - expected) < 60_000, `${time} is not about ${expected}`);

test('messages are archived by pages, by the settings, and those archived earlier are deleted', async () => {
  const { asked, deleted, steps } = archive();
  const { startedAt, ...result } = await temporal.withWorker(steps, () => run());
  assert.deepEqual(result, {
    message: '',
    archived: 20,
    objects: 2,
    bytes: 200,
    deleted: 8,
    kept: 2,
    dryRun: false,
  });
  assert.deepEqual(
    asked.map(({ after, keepNewest, conversationId }) => [after, keepNewest, conversationId]),
    [
      ['', 200, ''],
      ['9', 200, ''],
    ],
  );
  isAbout(asked[0]?.before, startedAt - 180 * day);
  isAbout(deleted[0]?.archivedBefore, startedAt - 24 * hour);
});

test('numbers may be given, also 0 and fractions', async () => {
  const { asked, deleted, steps } = archive();
  const input = { olderThanDays: 0.5, keepNewest: 0, graceHours: 0, conversationId: '7' };
  const { startedAt } = await temporal.withWorker(steps, () => run(input));
  isAbout(asked[0]?.before, startedAt - day / 2);
  isAbout(deleted[0]?.archivedBefore, startedAt);
  assert.deepEqual(
    [asked[0]?.keepNewest, asked[0]?.conversationId, deleted[0]?.conversationId],
    [0, '7', '7'],
  );
});

test('with whole months, a month is archived when all of it is old enough', async () => {
  const { asked, steps } = archive();
  await temporal.withWorker(steps, () => run({ wholeMonths: true }));
  const date = new Date(asked[0]?.before ?? 0);
  assert.equal(date.toISOString().slice(8), '01T00:00:00.000Z');
});

test('a dry run only counts', async () => {
  const { asked, deleted, steps } = archive();
  const { archived, dryRun } = await temporal.withWorker(steps, () => run({ dryRun: true }));
  assert.deepEqual([archived, dryRun, asked, deleted], [70, true, [], []]);
});

test('without a store the flow ends with a sentence that says so', async () => {
  const { asked, deleted, steps } = archive(false);
  const { message, archived } = await temporal.withWorker(steps, () => run());
  assert.deepEqual([message, archived, asked, deleted], [noStore, 0, [], []]);
});

test('an input that is not understood archives nothing', async () => {
  const { asked, steps } = archive();
  await temporal.withWorker(steps, async () => {
    for (const input of [
      { dryrun: true },
      { olderThanDays: '7' },
      { keepNewest: -1 },
      { conversationId: 7 },
      7,
    ]) {
      await assert.rejects(run(input), WorkflowFailedError);
    }
  });
  assert.deepEqual(asked, []);
});
