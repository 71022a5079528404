import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Activities } from '../../activities/index.ts';
import { createTestTemporal, type TestTemporal } from '../../test/support/flows/flows.ts';
import { type EraseUserResult, eraseUser, eraseUserStart } from './contract.ts';

let temporal: TestTemporal;
let lastUser = 0;

before(async () => {
  temporal = await createTestTemporal();
});
after(() => temporal?.close());

/** A user with three pages of relationships, one of requests and two of groups; every step is recorded. */
function account(instead: Partial<Activities> = {}) {
  const taken: string[] = [];
  let others = 250;
  let groups = 30;
  const steps: Partial<Activities> = {
    async closeAccount() {
      taken.push('close');
      return { ok: true };
    },
    async endRelationships() {
      const ended = Math.min(100, others);
      others -= ended;
      taken.push(`end ${ended}`);
      return { ended, more: others > 0 };
    },
    async eraseRequestTexts() {
      taken.push('texts');
      return { erased: 0, more: false };
    },
    async redactMessages() {
      taken.push('redact');
      return { redacted: 7 };
    },
    async leaveConversations() {
      const left = Math.min(20, groups);
      groups -= left;
      taken.push(`leave ${left}`);
      return { left, dissolved: left > 0 ? 1 : 0, more: groups > 0 };
    },
    ...instead,
  };
  return { taken, steps, joins: (count: number) => (groups += count) };
}

const erase = (redactMessages?: boolean): Promise<EraseUserResult> => {
  const { workflowIdConflictPolicy: _, ...start } = eraseUserStart(String(++lastUser), redactMessages);
  return temporal.client.workflow.execute(eraseUser.workflowType, start);
};

test('an account is closed first, then taken out of everything by pages', async () => {
  const { taken, steps } = account();
  const result = await temporal.withWorker(steps, () => erase());
  assert.deepEqual(result, { ok: true, relationships: 250, left: 30, dissolved: 2, redacted: 14 });
  const [first, again] = [taken.slice(0, 8), taken.slice(8)];
  assert.deepEqual(first, [
    'close',
    'end 100',
    'end 100',
    'end 50',
    'texts',
    'leave 20',
    'leave 10',
    'redact',
  ]);
  // Calls that were in flight while the account was closed.
  assert.deepEqual(again, ['close', 'leave 0', 'redact']);
});

test('messages that are to stay are left alone', async () => {
  const { taken, steps } = account();
  const result = await temporal.withWorker(steps, () => erase(false));
  assert.equal(result.ok && result.redacted, 0);
  assert.ok(taken.includes('texts') && !taken.includes('redact'));
});

test('a run started before messages could be redacted keeps them, as its user was promised', async () => {
  const { taken, steps } = account();
  const { args: _, workflowIdConflictPolicy: __, ...start } = eraseUserStart('2000');
  const result = await temporal.withWorker(steps, () =>
    temporal.client.workflow.execute(eraseUser.workflowType, {
      ...start,
      args: [{ userId: '2000' }],
      searchAttributes: { UserId: ['2000'] },
    }),
  );
  assert.equal(result.ok && result.redacted, 0);
  assert.ok(taken.includes('texts') && !taken.includes('redact'));
});

test('an account that was being added to a group, or signing in, at that time is removed later', async () => {
  const { taken, steps, joins } = account();
  const leave = steps.leaveConversations;
  let pages = 0;
  const result = await temporal.withWorker(
    {
      ...steps,
      async leaveConversations(input) {
        const page = await (leave as Activities['leaveConversations'])(input);
        pages += 1;
        // The last page was read; the transaction that adds the user has not committed yet.
        if (pages === 2) joins(1);
        return page;
      },
    },
    () => erase(),
  );
  assert.equal(result.ok && result.left, 31);
  assert.deepEqual(taken.slice(-3), ['close', 'leave 1', 'redact']);
});

test('an account that never existed is refused, and no further step runs', async () => {
  const { taken, steps } = account({
    closeAccount: async () => ({ ok: false, code: 'USER_NOT_FOUND', message: 'There is no such user.' }),
  });
  const result = await temporal.withWorker(steps, () => erase());
  assert.equal(!result.ok && result.code, 'USER_NOT_FOUND');
  assert.deepEqual(taken, []);
});

test('if im-repo is down during a run, the run continues where it stopped', async () => {
  const { taken, steps } = account();
  let failures = 4;
  const end = steps.endRelationships as Activities['endRelationships'];
  const result = await temporal.withWorker(
    {
      ...steps,
      async endRelationships(input) {
        if (taken.length === 2 && failures-- > 0) throw new Error('im-repo is away');
        return end(input);
      },
    },
    () => erase(),
  );
  assert.equal(result.ok && result.relationships, 250);
  assert.equal(taken.filter((step) => step === 'close').length, 2);
});

test('a second call during a run joins it; a later call starts another run, which finds nothing to do', async () => {
  const { taken, steps } = account();
  const start = () => temporal.client.workflow.start(eraseUser.workflowType, eraseUserStart('1000'));
  await temporal.withWorker(steps, async () => {
    const [first, second] = await Promise.all([start(), start()]);
    assert.equal(first.firstExecutionRunId, second.firstExecutionRunId);
    await first.result();
    const again = await start();
    assert.notEqual(again.firstExecutionRunId, first.firstExecutionRunId);
    const nothing = { relationships: 0, left: 0, dissolved: 0 };
    assert.deepEqual(await again.result(), { ok: true, ...nothing, redacted: 14 });
  });
  assert.equal(taken.filter((step) => step === 'end 100').length, 2);
});
