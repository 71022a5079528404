import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { type PurgeGuestsInput, type PurgeGuestsResult, purgeGuests } from './contract.ts';

const { workflowType, ...start } = purgeGuests;
const day = 24 * 3_600_000;
let temporal: TestTemporal;
let lastRun = 0;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

const run = async (input?: unknown): Promise<PurgeGuestsResult & { startedAt: number }> => {
  const handle = await temporal.client.workflow.start(workflowType, {
    ...start,
    workflowId: `purge-${++lastRun}`,
    args: input === undefined ? [] : [input as PurgeGuestsInput],
  });
  const result: PurgeGuestsResult = await handle.result();
  return { ...result, startedAt: (await handle.describe()).startTime.getTime() };
};

/** Two pages of guests; one of the guests comes back. */
function guests() {
  const asked: { idleBefore: number; cursor: string }[] = [];
  const erased: string[][] = [];
  const steps: Partial<Activities> = {
    async findIdleGuests(input) {
      asked.push(input);
      return input.cursor === ''
        ? { userIds: ['1', '2'], nextCursor: 'next' }
        : { userIds: ['3'], nextCursor: '' };
    },
    async eraseGuests({ userIds }) {
      erased.push(userIds);
      return { erased: userIds.filter((userId) => userId !== '2').length };
    },
  };
  return { asked, erased, steps };
}

test('guests are erased by pages; those who came back are left', async () => {
  const { asked, erased, steps } = guests();
  const { startedAt, ...result } = await temporal.withWorker(steps, () => run());
  assert.deepEqual(result, { found: 3, erased: 2, dryRun: false });
  assert.deepEqual(erased, [['1', '2'], ['3']]);
  assert.ok(asked.every(({ idleBefore }) => Math.abs(startedAt - 7 * day - idleBefore) < 60_000));
  assert.equal(asked[0]?.idleBefore, asked[1]?.idleBefore);
});

test('a dry run only counts, and the time can be given', async () => {
  const { asked, erased, steps } = guests();
  const { startedAt, ...result } = await temporal.withWorker(steps, () => run({ dryRun: true, idleMs: day }));
  assert.deepEqual(result, { found: 3, erased: 0, dryRun: true });
  assert.deepEqual(erased, []);
  assert.ok(Math.abs(startedAt - day - (asked[0]?.idleBefore ?? 0)) < 60_000);
});

test('a page that failed is repeated with the same guests', async () => {
  const { erased, steps } = guests();
  const erase = steps.eraseGuests as Activities['eraseGuests'];
  let failures = 2;
  const result = await temporal.withWorker(
    {
      ...steps,
      async eraseGuests(input) {
        const outcome = await erase(input);
        if (failures-- > 0) throw new Error('the worker died');
        return outcome;
      },
    },
    () => run(),
  );
  assert.equal(result.erased, 2);
  assert.deepEqual(erased, [['1', '2'], ['1', '2'], ['1', '2'], ['3']]);
});

test('an invalid input erases nobody', async () => {
  const { erased, steps } = guests();
  await temporal.withWorker(steps, async () => {
    for (const input of [{ dryrun: true }, { idleMs: '7d' }, { idleMs: 0 }, 7]) {
      await assert.rejects(run(input), WorkflowFailedError);
    }
  });
  assert.deepEqual(erased, []);
});
