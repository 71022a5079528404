import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  Client,
  WithStartWorkflowOperation,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import type { Activities } from '../activities/index.ts';
import { eventually } from '../test/support/eventually.ts';
import { createTestTemporal, type TestTemporal } from '../test/support/flows/flows.ts';
import { invalidVariants, isNothing, type Json, unreadable } from '../test/support/flows/invalid-input.ts';
import { changeMembers } from './change-members/contract.ts';
import { confirmOffline } from './confirm-offline/contract.ts';
import { taskQueues } from './contracts/task-queues.ts';
import { createGroup } from './create-group/contract.ts';
import { fanoutMessages, fanoutStart } from './fanout-messages/contract.ts';
import { friendRequest, friendRequestStart } from './friend-request/contract.ts';
import type * as flows from './index.ts';

const counted = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 1]));

/** A valid start of each flow, from which the invalid ones are derived. */
const validStarts: Record<keyof typeof flows, unknown[]> = {
  friendRequest: [
    {
      userIds: ['1', '2'],
      opening: {
        update: 'request',
        input: { attempt: 'a', requesterId: '1', targetId: '2', textsId: '7', message: 'hello' },
      },
    },
  ],
  createGroup: [
    {
      conversationId: '9',
      ownerId: '1',
      memberIds: ['2', '3'],
      textsId: '7',
      name: 'a group',
      avatarUrl: '',
      description: '',
      maxMembers: 2000,
    },
  ],
  changeMembers: [
    { conversationId: '9', key: 'k', actorId: '1', change: { kind: 'add', userIds: ['2', '3'] } },
  ],
  fanoutMessages: [{ conversationId: '9' }],
  confirmOffline: [
    { users: [{ userId: '1', epoch: 'e', lastActiveAt: 1 }], disconnectedAt: 1, confirmMs: 30_000 },
  ],
  cleanupExpiredStatus: [
    { dryRun: true, olderThanMs: 1000 },
    { cursor: 'a', offline: 1, sessionsRemoved: 1 },
  ],
  eraseUser: [{ userId: '1', redactMessages: true }],
  moderateConversation: [{ conversationId: '9', recall: [1, 2], mute: ['1'], unmute: ['2'] }],
  archiveColdMessages: [
    { dryRun: true, olderThanDays: 1.5, keepNewest: 0, graceHours: 0.5, wholeMonths: true },
    {
      phase: 'archive',
      before: 1,
      after: 'a',
      ...counted('archived', 'objects', 'bytes', 'deleted', 'kept'),
    },
  ],
  compactColdMessages: [{}, { before: 1, after: 'a', objects: 1, messages: 1, skipped: 1 }],
  purgeGuests: [
    { dryRun: true, idleMs: 1000 },
    { idleBefore: 1, cursor: 'a', found: 1, erased: 1 },
  ],
  reconcileCounters: [
    { dryRun: true },
    {
      after: '9',
      findings: {
        checked: 1,
        wrong: { memberCount: 0, head: 0, lastMessage: 0, readPointers: 0, unread: 0 },
        mended: 0,
        conversationIds: ['9'],
      },
    },
  ],
  reindex: [{ conversationId: '9' }, { cursor: 'a', indexed: 1, conversations: 1 }],
};

/** Jobs whose whole input is optional: a start without input is valid. */
const withOptionalInput = [
  'archiveColdMessages',
  'cleanupExpiredStatus',
  'compactColdMessages',
  'purgeGuests',
  'reconcileCounters',
  'reindex',
];

const rightUpdates = [
  {
    update: friendRequest.request,
    right: { attempt: 'b', requesterId: '1', targetId: '2', textsId: '7', message: 'hello' },
  },
  {
    update: friendRequest.decide,
    right: { attempt: 'b', requestId: 'r1', actorId: '2', action: 'accept' },
  },
  { update: friendRequest.withdraw, right: { attempt: 'b', requestId: 'r1', actorId: '1' } },
];

/** A deadline on the real clock, milliseconds, for the answer to an update and for the end of a run. */
const answerWithinMs = 5000;
/** The same while a local activity runs: Temporal delivers updates only with the heartbeats of its workflow task. */
const answerDuringStepMs = 30_000;
let temporal: TestTemporal;
let lastRun = 0;

const { promise: ending, resolve: end } = Promise.withResolvers<void>();
const { promise: held, resolve: release } = Promise.withResolvers<void>();
/** A client whose waits do not skip time: a run must end by itself. */
let client: Client;
let working: Promise<void> | undefined;
let fanouts = 0;

const row = { requestId: 'r1', requesterId: '1', targetId: '2', status: 0, expiresAt: 0 };
const refuseAfterRelease = async () => {
  await held;
  return { ok: false as const, code: 'GROUP_FULL' as const, message: 'full' };
};
/** The activities of the flows with valid input. */
const activities: Partial<Activities> = {
  createFriendRequest: async () => ({
    ok: true,
    ...row,
    expiresAt: (await temporal.environment.currentTimeMs()) + 30 * 86_400_000,
  }),
  settleFriendRequest: async () => ({ ok: true, ...row, status: 2 }),
  checkMembers: refuseAfterRelease,
  changeMembers: refuseAfterRelease,
  confirmUsersOffline: async () => ({ offline: 1, waitMs: 0 }),
  streamFanout: async () => ({ done: ++fanouts, more: false }),
};

before(async () => {
  temporal = await createTestTemporal();
  client = new Client({ connection: temporal.environment.connection });
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  working = temporal.withWorker(activities, () => {
    resolve();
    return ending;
  });
  await Promise.race([ready, working]);
});
after(async () => {
  end();
  await working;
  await temporal?.close();
});

type AnyFlow = (...args: unknown[]) => Promise<unknown>;
type Answer = { ok?: boolean; code?: string };

/** Sends an update with any input, valid or invalid, or without input. */
const executeUpdate = (handle: WorkflowHandle, name: string, args: unknown[]): Promise<Answer> =>
  handle.executeUpdate<Answer, [unknown]>(name, { args: args as [unknown] });

/** Calls `act` for each item, eight at a time. */
async function forEachOf<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const atOnce = 8;
  for (let from = 0; from < items.length; from += atOnce) {
    await Promise.all(items.slice(from, from + atOnce).map(act));
  }
}

const newId = () => `wrong-${++lastRun}`;

async function inTime<T>(call: Promise<T>, what: string, withinMs = answerWithinMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} had no answer within ${withinMs} ms`)), withinMs);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function ended(workflowType: string, args: unknown[]): Promise<WorkflowExecutionDescription> {
  const what = `${workflowType} ${JSON.stringify(args)}`;
  const handle = await client.workflow.start(workflowType, {
    workflowId: newId(),
    taskQueue: taskQueues.interactive,
    args,
  });
  const error = await inTime(
    handle.result().then(
      () => assert.fail(`${what} went well`),
      (failure: { cause?: { type?: string; message?: string } }) => failure,
    ),
    what,
  );
  assert.equal(error.cause?.type, 'INVALID_ARGUMENT', `${what}: ${error}`);
  assert.match(error.cause?.message ?? '', /^The input is wrong: .+\.$/);
  return handle.describe();
}

for (const [workflowType, right] of Object.entries(validStarts)) {
  test(`${workflowType} that is started with anything wrong ends as failed, and says why`, async () => {
    const nothing = withOptionalInput.includes(workflowType) ? [] : [[]];
    const wrong = right.flatMap((value, index) =>
      invalidVariants(value)
        // null is valid for an optional field, and so is no field where all are optional.
        .filter((one) => !(withOptionalInput.includes(workflowType) && isNothing(one)))
        .map((one) => right.with(index, one)),
    );
    const undecoded = right.flatMap((_, index) => unreadable.map((one) => right.with(index, one)));
    await forEachOf([...nothing, ...wrong, ...undecoded], async (args) => {
      const { status } = await ended(workflowType, args);
      assert.equal(status.name, 'FAILED');
    });
  });
}

for (const [workflowType, input] of [
  ['eraseUser', { userId: '1', redactMesages: false }],
  ['moderateConversation', { conversationId: '9', recal: [1] }],
  ['purgeGuests', { dryrun: true }],
  ['cleanupExpiredStatus', { olderThan: 1 }],
  ['reconcileCounters', { dryrun: true }],
] as const) {
  test(`${workflowType}, which people start by hand, takes a misspelt field for a mistake`, async () => {
    await ended(workflowType, [input]);
  });
}

test('a field that only a newer sender knows is left alone', async () => {
  const [right] = validStarts.confirmOffline;
  const start = { workflowId: newId(), taskQueue: taskQueues.maintenance };
  const args = [{ ...(right as Json), newer: 1 }];
  const result = await client.workflow.execute(confirmOffline.workflowType, { ...start, args });
  assert.deepEqual(result, { offline: 1 });
});

test('a friend request refuses an invalid command at once, and accepts the next valid one', async () => {
  const { workflowIdConflictPolicy: _, ...start } = friendRequestStart(['1', '2'], {
    update: 'request',
    input: { attempt: 'a', requesterId: '1', targetId: '2', message: 'hello' },
  });
  const handle = await client.workflow.start(friendRequest.workflowType, start);
  for (const { update, right } of rightUpdates) {
    const wrong = [...invalidVariants(right), ...unreadable];
    await forEachOf([[], ...wrong.map((one) => [one])], async (args) => {
      const what = `${update.name} ${JSON.stringify(args)}`;
      const answer = await inTime(executeUpdate(handle, update.name, args), what);
      assert.equal(answer.code, 'INVALID_ARGUMENT', what);
    });
    const stranger = { ...right, ...('actorId' in right ? { actorId: '3' } : { targetId: '3' }) };
    const answer = await executeUpdate(handle, update.name, [stranger]);
    assert.equal(answer.code, 'INVALID_ARGUMENT', `${update.name} by a stranger`);
  }
  const decision = { attempt: 'c', requestId: 'r1', actorId: '2', action: 'reject' as const };
  const decided = await handle.executeUpdate(friendRequest.decide, { args: [decision] });
  assert.deepEqual(decided, { ok: true, requestId: 'r1' });
});

test('waiting for a flow’s outcome takes no input, and refuses any', async () => {
  const waiting = [
    [createGroup, validStarts.createGroup],
    [changeMembers, validStarts.changeMembers],
  ] as const;
  const handles = await Promise.all(
    waiting.map(([{ workflowType }, args]) =>
      client.workflow.start(workflowType, {
        workflowId: newId(),
        taskQueue: taskQueues.interactive,
        args,
      }),
    ),
  );
  for (const handle of handles) {
    await forEachOf([null, 'x', {}, [], ...unreadable.slice(0, 4)], async (given) => {
      const answer = await inTime(
        executeUpdate(handle, 'result', [given]),
        `result ${JSON.stringify(given)}`,
        answerDuringStepMs,
      );
      assert.equal(answer.code, 'INVALID_ARGUMENT');
    });
  }
  release();
  for (const handle of handles) {
    assert.deepEqual(await handle.result(), { ok: false, code: 'GROUP_FULL', message: 'full' });
  }
});

for (const [workflowType, updates] of [
  ['friendRequest', ['request', 'decide', 'withdraw']],
  ['createGroup', ['result']],
  ['changeMembers', ['result']],
] as const) {
  test(`an update that comes with a wrong start of ${workflowType} is answered, and the run fails`, async () => {
    await forEachOf<string>(updates, async (name) => {
      const workflowId = newId();
      const startWorkflowOperation = new WithStartWorkflowOperation<AnyFlow>(workflowType, {
        workflowId,
        taskQueue: taskQueues.interactive,
        args: [null],
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      const answer = await inTime(
        client.workflow.executeUpdateWithStart<AnyFlow, Answer, []>(name, { startWorkflowOperation }),
        workflowType,
      );
      assert.equal(answer.code, 'INVALID_ARGUMENT');
      const handle = client.workflow.getHandle(workflowId);
      const ending = handle.result().catch(() => undefined);
      await inTime(ending, workflowType);
      assert.equal((await handle.describe()).status.name, 'FAILED');
    });
  });
}

test('a wake-up with invalid input is ignored, counted and shown; the next valid one is accepted', async () => {
  const handle = await client.workflow.start(fanoutMessages.workflowType, fanoutStart('wrongly-woken'));
  const shows = (pattern: RegExp) =>
    eventually(async () => {
      const metadata = await handle.query<{ currentDetails?: string }, []>('__temporal_workflow_metadata');
      return pattern.test(metadata.currentDetails ?? '');
    });
  await shows(/^Everything up to seq 1 was passed on\.$/);
  const wrong = [null, 'x', 7, {}, [], ...unreadable];
  for (const given of wrong) await handle.signal('wake', given);
  await shows(/^Everything up to seq 1 was passed on\. Signals ignored: 11\. .*wake takes none\.$/);
  assert.equal(fanouts, 1);
  await handle.signal(fanoutMessages.wake);
  await shows(/^Everything up to seq 2 .* Signals ignored: 11\./);
  await handle.terminate('the test is over');
});
