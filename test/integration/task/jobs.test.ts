import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createLiveConversations } from '../../../activities/fanout-messages/live-conversations.ts';
import { createActivities } from '../../../activities/index.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import { workflowBundle as bundled } from '../../../services/task/temporal/workflow-bundle.ts';
import { archiveColdMessagesSchedule } from '../../../workflows/archive-cold-messages/contract.ts';
import {
  type ChangeMembersArgs,
  type ChangeMembersResult,
  changeMembers,
  changeMembersStart,
} from '../../../workflows/change-members/contract.ts';
import { compactColdMessagesSchedule } from '../../../workflows/compact-cold-messages/contract.ts';
import { taskQueues } from '../../../workflows/contracts/task-queues.ts';
import { createGroup, createGroupId } from '../../../workflows/create-group/contract.ts';
import { eraseUser, eraseUserStart } from '../../../workflows/erase-user/contract.ts';
import {
  type PurgeGuestsResult,
  purgeGuests,
  purgeGuestsSchedule,
} from '../../../workflows/purge-guests/contract.ts';
import {
  type ReconcileCountersResult,
  reconcileCounters,
  reconcileCountersSchedule,
} from '../../../workflows/reconcile-counters/contract.ts';
import { type ReindexResult, reindex } from '../../../workflows/reindex/contract.ts';
import { atEnd } from '../../support/at-end.ts';
import { eventually } from '../../support/eventually.ts';
import { createGuests } from '../../support/people/guests.ts';
import { refusedWith } from '../../support/refused-with.ts';
import { openRepoService } from '../../support/repo/repo-service.ts';
import { openTemporalNamespace, temporalAddress } from '../../support/task/temporal-namespace.ts';

const world = '1';
const { repo, databases } = await openRepoService();
const { namespace, client } = await openTemporalNamespace();
await startWorkers();

/** Workers for the flows that are tested here. */
async function startWorkers(): Promise<void> {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  const connection = await NativeConnection.connect({ address: temporalAddress });
  atEnd(() => connection.close());
  const activities = createActivities({
    repo,
    produce: async () => undefined,
    live: createLiveConversations(),
    metrics: createMetrics('test'),
    friendRequestTtlMs: 60_000,
    friendRequestCooldownMs: 0,
  });
  const workflowBundle = await bundled(process.env.WORKFLOW_BUNDLE_FILE ?? '');
  const workers = await Promise.all(
    [taskQueues.interactive, taskQueues.maintenance].map((taskQueue) =>
      Worker.create({ connection, namespace, taskQueue, activities, workflowBundle }),
    ),
  );
  const running = Promise.all(workers.map((worker) => worker.run()));
  atEnd(async () => {
    for (const worker of workers) worker.shutdown();
    await running;
  });
}

const newUsers = (count: number) => createGuests(repo, count);

async function newGroup(ownerId: string, memberIds: string[]): Promise<string> {
  const { conversation } = await repo.conversations.createConversation({
    conversationId: '',
    type: 2,
    name: 'a group',
    avatarUrl: '',
    description: '',
    creatorId: ownerId,
    initialMemberIds: memberIds,
    activate: true,
    maxMembers: 0,
    friendRequestId: '',
  });
  return conversation?.conversation?.id ?? assert.fail('no group was made');
}

const memberCount = async (userId: string, conversationId: string) =>
  (await repo.conversations.getConversation({ userId, conversationId })).conversation?.conversation
    ?.memberCount;

/** As logic does it. */
const change = (args: ChangeMembersArgs): Promise<ChangeMembersResult> =>
  client.workflow.executeUpdateWithStart(changeMembers.result, {
    updateId: args.key,
    startWorkflowOperation: new WithStartWorkflowOperation(
      changeMembers.workflowType,
      changeMembersStart(args),
    ),
  });

const job = <Result>(
  { workflowType, ...start }: typeof purgeGuests | typeof reconcileCounters | typeof reindex,
  input: object,
) =>
  client.workflow.execute(workflowType, {
    ...start,
    workflowId: randomUUID(),
    args: [input],
  }) as Promise<Result>;

test('the same key gets the same answer, at once, later, and after the run was lost', async () => {
  const [owner, bob, cy] = (await newUsers(3)) as [string, string, string];
  const conversationId = await newGroup(owner, [bob]);
  const args: ChangeMembersArgs = {
    conversationId,
    key: 'k1',
    actorId: owner,
    change: { kind: 'add', userIds: [bob, cy] },
  };
  const answer = { ok: true, added: [cy], alreadyMembers: [bob] };
  for (const result of await Promise.all(Array.from({ length: 5 }, () => change(args)))) {
    assert.deepEqual(result, answer);
  }
  assert.deepEqual(await change(args), answer);
  // Another run of the same name, as if Temporal had forgotten the first one.
  const { workflowIdConflictPolicy: _, ...start } = changeMembersStart(args);
  assert.deepEqual(await client.workflow.execute(changeMembers.workflowType, start), answer);
  assert.equal(await memberCount(owner, conversationId), 3);
});

test('members leave, groups get a new owner or are dissolved; a refused change has no effect', async () => {
  const [owner, bob, cy] = (await newUsers(3)) as [string, string, string];
  const conversationId = await newGroup(owner, [bob, cy]);
  const by = (actorId: string, members: ChangeMembersArgs['change']) =>
    change({ conversationId, key: randomUUID(), actorId, change: members });
  const refusal = await by(bob, { kind: 'remove', userIds: [cy] });
  assert.equal(!refusal.ok && refusal.code, 'PERMISSION_DENIED');
  assert.equal(await memberCount(owner, conversationId), 3);
  assert.deepEqual(await by(cy, { kind: 'remove', userIds: [cy] }), { ok: true, removed: [cy] });
  assert.deepEqual(await by(owner, { kind: 'transfer', userId: bob }), { ok: true });
  assert.deepEqual(await by(bob, { kind: 'dissolve' }), { ok: true });
  await refusedWith(memberCount(bob, conversationId), 'CONVERSATION_NOT_FOUND');
});

test('an account is erased, and the flow’s details show the progress', async () => {
  const [ann, bob] = (await newUsers(2)) as [string, string];
  const conversationId = await newGroup(ann, [bob]);
  const { workflowIdConflictPolicy: _, ...start } = eraseUserStart(ann);
  const handle = await client.workflow.start(eraseUser.workflowType, start);
  await eventually(async () => {
    const { conversation } = await repo.conversations.getConversation({ userId: bob, conversationId });
    return conversation?.conversation?.ownerId === bob;
  });
  await eventually(async () => {
    const { events = [] } = await handle.fetchHistory();
    return events?.some(({ timerStartedEventAttributes }) => timerStartedEventAttributes) === true;
  });
  await refusedWith(repo.users.getUser({ userId: ann }), 'USER_NOT_FOUND');
  const { searchAttributes } = await handle.describe();
  assert.deepEqual(searchAttributes.UserId, [ann]);
  assert.deepEqual(await handle.result(), {
    ok: true,
    relationships: 0,
    left: 2,
    dissolved: 0,
    redacted: 0,
  });
});

test('idle guests are counted, then erased with their memberships', async () => {
  const [idle, busy] = (await newUsers(2)) as [string, string];
  const conversationId = await newGroup(busy, [idle]);
  await databases.users.execute('UPDATE users SET last_active_at = 5 WHERE id = ?', [Number(idle)]);
  const dryRun = await job<PurgeGuestsResult>(purgeGuests, { dryRun: true });
  assert.deepEqual(dryRun, { found: 1, erased: 0, dryRun: true });
  assert.deepEqual(await job<PurgeGuestsResult>(purgeGuests, {}), { found: 1, erased: 1, dryRun: false });
  assert.deepEqual(await job<PurgeGuestsResult>(purgeGuests, {}), { found: 0, erased: 0, dryRun: false });
  await refusedWith(repo.users.getUser({ userId: idle }), 'USER_NOT_FOUND');
  assert.equal(await memberCount(busy, conversationId), 1);
  assert.equal((await repo.users.getUser({ userId: busy })).user?.id, busy);
});

test('a group whose creation was terminated is removed when no run of its flow is open', async () => {
  const [owner = ''] = await newUsers(1);
  const hiddenGroup = async () => {
    const { conversation } = await repo.conversations.createConversation({
      ...{ conversationId: '', type: 2, name: 'half', avatarUrl: '', description: '', creatorId: owner },
      ...{ initialMemberIds: [], activate: false, maxMembers: 10, friendRequestId: '' },
    });
    return conversation?.conversation?.id ?? assert.fail('no group was made');
  };
  const [givenUp = '', open = '', young = ''] = [
    await hiddenGroup(),
    await hiddenGroup(),
    await hiddenGroup(),
  ];
  await databases.conversations.execute('UPDATE conversations SET created_at = ? WHERE id IN (?)', [
    Date.now() - 2 * 3_600_000,
    [givenUp, open],
  ]);
  const run = await client.workflow.start(createGroup.workflowType, {
    ...{ workflowId: createGroupId(open), taskQueue: 'nobody-works-here', args: [] },
  });
  const remaining = async () => {
    const rows = await databases.conversations.query<{ id: number }>(
      'SELECT id FROM conversations WHERE id IN (?) ORDER BY id',
      [[givenUp, open, young]],
    );
    return rows.map(({ id }) => String(id));
  };

  assert.equal((await job<ReconcileCountersResult>(reconcileCounters, { dryRun: true })).unfinishedGroups, 1);
  assert.deepEqual(await remaining(), [givenUp, open, young]);
  assert.equal((await job<ReconcileCountersResult>(reconcileCounters, {})).unfinishedGroups, 1);
  assert.deepEqual(await remaining(), [open, young]);
  await run.terminate('the test is over');
  assert.equal((await job<ReconcileCountersResult>(reconcileCounters, {})).unfinishedGroups, 1);
  assert.deepEqual(await remaining(), [young]);
});

test('counters that are wrong are reported, then mended', async () => {
  const [owner, bob] = (await newUsers(2)) as [string, string];
  const conversationId = await newGroup(owner, [bob]);
  await databases.conversations.execute('UPDATE conversations SET member_count = 9 WHERE id IN (?)', [
    [Number(conversationId), Number(world)],
  ]);
  const wrong = { memberCount: 2, head: 0, lastMessage: 0, readPointers: 0, unread: 0 };
  const conversationIds = [world, conversationId];
  const run = async (input: object) => {
    const { checked, ...rest } = await job<ReconcileCountersResult>(reconcileCounters, input);
    assert.ok(checked >= 2);
    return rest;
  };
  assert.deepEqual(await run({ dryRun: true }), { wrong, mended: 0, conversationIds, dryRun: true });
  assert.deepEqual(await run({}), { wrong, mended: 2, conversationIds, dryRun: false });
  assert.deepEqual((await run({})).conversationIds, []);
  assert.equal(await memberCount(owner, conversationId), 2);
});

test('the nightly jobs have schedules', async () => {
  for (const id of [
    archiveColdMessagesSchedule,
    compactColdMessagesSchedule,
    purgeGuestsSchedule,
    reconcileCountersSchedule,
  ]) {
    const { spec, policies, state } = await client.schedule.getHandle(id).describe();
    assert.equal(spec.calendars?.length, 1);
    assert.equal(policies.overlap, 'SKIP');
    assert.equal(state.paused, false);
  }
});

test('what was stored before there was an index is found after reindex', async () => {
  const [ann = ''] = await newUsers(1);
  const conversationId = await newGroup(ann, []);
  await repo.messages.saveMessages({
    messages: [1, 2].map((n) => ({
      conversationId,
      senderId: ann,
      messageType: 1,
      content: `chestnut ${n}`,
      clientMsgId: randomUUID(),
      mentions: [],
      sourcePartition: 0,
      sourceOffset: n,
    })),
    recipientsOf: [],
  });
  const found = async () =>
    (await repo.search.searchMessages({ userId: ann, query: 'chestnut', limit: 0 })).hits.length;
  assert.equal(await found(), 0);
  assert.deepEqual(await job<ReindexResult>(reindex, { conversationId }), { indexed: 2, conversations: 1 });
  assert.equal(await found(), 2);
  assert.ok((await job<ReindexResult>(reindex, {})).indexed >= 2);
  await assert.rejects(job<ReindexResult>(reindex, { conversationId: 'x' }));
});
