import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Message } from '../../lib/gen/im_repo/v1/message.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import { topics } from '../../lib/kafka/topics.ts';
import { createMetrics } from '../../lib/metrics.ts';
import type { DownstreamRecord, FanoutTask } from '../../lib/records/records.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createFanoutMessagesActivities, type FanoutResult } from './fanout-messages.ts';
import { createLiveConversations } from './live-conversations.ts';

const conversationId = '9';
const idleMs = 20;
/** Longer than the delay after which progress is stored, and than a busy machine takes for a test's next step. */
const longIdleMs = 600;

/** A conversation of `members` on two gateways, in memory, and the records produced for it. */
function scene(options: {
  head: number;
  done?: number;
  members?: number;
  world?: boolean;
  content?: string;
  idleMs?: number;
  /** Members who have just joined. */
  newcomers?: string[];
}) {
  const { content = 'hello', members = 3 } = options;
  let head = options.head;
  let done = options.done ?? 0;
  let fanoutMode = true;
  /** A promise that delays the answer of the next progress read. */
  let held: Promise<void> | undefined;
  const records: { topic: string; record: DownstreamRecord; bytes: number }[] = [];
  const gateways = ['a', 'b'].map((id) => ({
    gatewayId: id,
    bootId: `boot-${id}`,
    pushAddress: '',
  }));
  const message = (seqId: number): Message => ({
    id: 100 + seqId,
    conversationId,
    seqId,
    sender: {
      id: '1',
      username: 'ann',
      displayName: 'Ann',
      avatarUrl: '',
      isGuest: false,
      createdAt: 0,
    },
    messageType: 1,
    content,
    clientMsgId: `m${seqId}`,
    mentions: [],
    deleted: false,
    createdAt: 0,
    changeSeq: 0,
    reactions: [],
    pinned: false,
  });
  const repo = {
    conversations: {
      async getFanoutProgress() {
        const progress = {
          conversationId,
          type: options.world ? 3 : 2,
          lastSeqId: head,
          fanoutDoneSeq: done,
          fanoutMode,
          memberCount: members,
        };
        await held;
        return { progress: [progress] };
      },
      async setFanoutDone({ doneSeqId }: { doneSeqId: number }) {
        done = Math.max(done, doneSeqId);
        return { fanoutDoneSeq: done, lastSeqId: head };
      },
      async resolveMemberPage({ afterUserId, limit }: { afterUserId: string; limit: number }) {
        const from = Number(afterUserId) + 1;
        const until = Math.min(from + limit - 1, members);
        const userIds = Array.from({ length: until - from + 1 }, (_, index) => String(from + index));
        return {
          gateways: gateways.map((gateway, index) => ({
            ...gateway,
            userIds: userIds.filter((id) => Number(id) % 2 === index),
          })),
          newcomerIds: (options.newcomers ?? []).filter((id) => userIds.includes(id)),
          nextAfterUserId: until < members ? String(until) : '',
        };
      },
    },
    messages: {
      resolveRecipients: async () => ({ recipients: [{ gateways: [...gateways] }] }),
      getMessageRange: async (range: { firstSeqId: number; lastSeqId: number }) => ({
        messages: Array.from({ length: range.lastSeqId - range.firstSeqId + 1 }, (_, index) =>
          message(range.firstSeqId + index),
        ),
      }),
    },
  } as unknown as RepoClient;
  const live = createLiveConversations();
  const { streamFanout } = createFanoutMessagesActivities({
    repo,
    live,
    idleMs: options.idleMs ?? idleMs,
    metrics: createMetrics('test'),
    async produce(topic, _key, value) {
      records.push({ topic, record: JSON.parse(value), bytes: Buffer.byteLength(value) });
    },
  });

  return {
    live,
    records,
    stored: () => done,
    grow(to: number) {
      head = to;
    },
    addGateway: (id: string) => gateways.push({ gatewayId: id, bootId: `boot-${id}`, pushAddress: '' }),
    /** The group shrinks after its fan-out has caught up: the messages up to this seq id are delivered directly. */
    shrink(to: number) {
      fanoutMode = false;
      head = to;
    },
    /** The group grows above the limit again; the message `to` is the first that the flow must deliver. */
    growAgain(to: number) {
      fanoutMode = true;
      done = to - 1;
      head = to;
    },
    /** Holds back the answer to the next read of the progress until the returned function is called. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
    run: (info = {}): Promise<FanoutResult> =>
      new MockActivityEnvironment(info).run(streamFanout, { conversationId }) as Promise<FanoutResult>,
    /** The seq ids in the order of their delivery to a user. */
    received: (userId: string) =>
      records.flatMap(({ record }) =>
        record.messages
          .filter(
            (message) => message.broadcast === true || message.target_user_ids?.includes(userId) === true,
          )
          .map(({ seq_id }) => seq_id),
      ),
  };
}

const task = (first: number, last: number): FanoutTask => ({
  conversation_id: conversationId,
  first_seq_id: first,
  last_seq_id: last,
  sent_at: Date.now(),
});

test('the latency metric of the flow exists before its first message', async () => {
  const metrics = createMetrics('test');
  createFanoutMessagesActivities({
    repo: {} as RepoClient,
    live: createLiveConversations(),
    metrics,
    produce: async () => undefined,
  });
  assert.match(await metrics.registry.metrics(), /gochat_fanout_latency_seconds_count\{path="workflow"\} 0/);
});

test('every member gets the messages not delivered yet, in order, over all pages of members', async () => {
  const { run, received, records, stored } = scene({ head: 450, done: 2, members: 1203 });
  assert.deepEqual(await run(), { done: 450, more: false });
  const expected = Array.from({ length: 448 }, (_, index) => index + 3);
  for (const userId of ['1', '500', '501', '1203']) assert.deepEqual(received(userId), expected);
  assert.deepEqual(
    new Set(records.map(({ topic }) => topic)),
    new Set(['gochat.messages.downstream.a', 'gochat.messages.downstream.b']),
  );
  assert.ok(records.every(({ record }) => record.gateway_boot_id.startsWith('boot-')));
  assert.equal(stored(), 450);
});

test('the members of a page who joined a moment ago are named in its messages', async () => {
  const { run, records } = scene({ head: 1, members: 600, newcomers: ['7', '501'] });
  await run();
  const named = records.flatMap(({ record }) => record.messages.map(({ newcomer_ids }) => newcomer_ids));
  assert.deepEqual(named, [['7'], ['7'], ['501'], ['501']]);
});

test('a task that arrives before the activity is kept for it', async () => {
  const { run, received, live } = scene({ head: 1, done: 0 });
  assert.equal(live.wake(task(1, 1)), false);
  await run();
  assert.deepEqual(received('1'), [1]);
});

test('after the activity has ended because it was idle, the conversation is not live', async () => {
  const { run, live } = scene({ head: 1, done: 1 });
  const from = Date.now();
  await run();
  assert.ok(Date.now() - from >= idleMs - 10);
  assert.equal(live.wake(task(2, 2)), false);
});

test('an attempt continues after the progress of the previous one', async () => {
  const { run, received } = scene({ head: 10, done: 0 });
  await run({ heartbeatDetails: { done: 7 } });
  assert.deepEqual(received('1'), [8, 9, 10]);
});

test('the world room reaches every gateway once, without a list of users', async () => {
  const { run, records } = scene({ head: 2, world: true });
  await run();
  assert.equal(records.length, 2);
  for (const { record } of records) {
    assert.deepEqual(
      record.messages.map(({ seq_id, broadcast, target_user_ids }) => [seq_id, broadcast, target_user_ids]),
      [
        [1, true, undefined],
        [2, true, undefined],
      ],
    );
  }
});

test('a record stays below the broker’s limit, whatever the messages contain', async () => {
  const { run, records, received } = scene({ head: 150, content: '👋'.repeat(4000) });
  await run();
  assert.ok(records.every(({ bytes }) => bytes < 900_000));
  assert.equal(received('1').length, 150);
});

// These wait for an activity to become idle, so they run at the same time.
suite('while an activity waits for work', { concurrency: true }, () => {
  test('a task wakes the activity in memory', async () => {
    const { run, received, live, grow } = scene({ head: 1, done: 1, idleMs: longIdleMs });
    const result = run();
    await eventually(() => live.size() === 1);
    grow(2);
    assert.equal(live.wake(task(2, 2)), true);
    await eventually(() => received('1').length === 1);
    assert.deepEqual(await result, { done: 2, more: false });
  });

  test('a drain ends the activity at once, and its result says that there is more to do', async () => {
    const { run, live } = scene({ head: 1, done: 0, idleMs: longIdleMs });
    const result = run();
    await eventually(() => live.size() === 1);
    live.drain();
    const { more } = await result;
    assert.equal(more, true);
  });

  for (const done of [0, 5]) {
    test(`messages delivered directly after the group has shrunk are not delivered again (after ${done} of 5)`, async () => {
      const { run, received, live, shrink, stored } = scene({ head: 5, done, idleMs: longIdleMs });
      const result = run();
      await eventually(() => stored() === 5 && live.size() === 1);
      // The activity has read the progress.
      await new Promise((resolve) => setImmediate(resolve));
      shrink(8);
      live.seen(conversationId, 8);
      assert.deepEqual(await result, { done: 5, more: false });
      assert.deepEqual(received('1'), done === 0 ? [1, 2, 3, 4, 5] : []);
      assert.equal(live.size(), 0);
    });
  }

  test('a group that shrank and grew again continues after the messages delivered directly', async () => {
    const { run, received, live, growAgain, stored } = scene({ head: 5, idleMs: longIdleMs });
    const result = run();
    await eventually(() => stored() === 5);
    growAgain(9);
    assert.equal(live.wake(task(9, 9)), true);
    assert.deepEqual(await result, { done: 9, more: false });
    assert.deepEqual(received('1'), [1, 2, 3, 4, 5, 9]);
  });

  test('a task that arrives while the activity leaves a shrunk group is not lost', async () => {
    const { run, received, live, shrink, growAgain, stored, hold } = scene({ head: 5, idleMs: longIdleMs });
    const result = run();
    await eventually(() => stored() === 5);
    shrink(6);
    const answer = hold();
    live.seen(conversationId, 6);
    await new Promise((resolve) => setImmediate(resolve));
    growAgain(7);
    assert.equal(live.wake(task(7, 7)), true);
    answer();
    await result;
    assert.deepEqual(received('1'), [1, 2, 3, 4, 5, 7]);
  });

  test('a gateway that has just started gets the next message of the world room', async () => {
    const { run, records, live, grow, addGateway } = scene({ head: 1, world: true, idleMs: longIdleMs });
    const running = run();
    await eventually(() => records.length === 2);
    addGateway('c');
    grow(2);
    live.wake(task(2, 2));
    await running;
    const toIt = records.filter(({ topic }) => topic === topics.downstream('c'));
    assert.deepEqual(
      toIt.flatMap(({ record }) => record.messages.map(({ seq_id }) => seq_id)),
      [2],
    );
  });
});
