import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeFromNumber } from '../../../../lib/errors.ts';
import type { NewMessage, SavedMessage } from '../../../../lib/gen/im_repo/v1/message.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import { databaseTime } from '../../../../services/repo/storage/change-time.ts';
import { eventually } from '../../../support/eventually.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { createMessageParts, type MessageParts } from '../../../support/repo/message-parts.ts';
import { openMessageRepo } from '../../../support/repo/open-repo.ts';

const { redis, repo } = await openMessageRepo();
const seqs = (results: readonly SavedMessage[]) => results.map(({ seqId }) => seqId);

const history = async (userId: string, conversationId: string) =>
  (await repo.messages.getMessages({ userId, conversationId, limit: 200 })).messages;

test('after a removal, the removed user can neither send nor receive messages', async () => {
  const { users, id } = await repo.newConversationOf(3);
  const [ann, , cy] = users as [string, string, string];
  await repo.goOnline(cy, 'cy');
  const sending = Array.from({ length: 10 }, () =>
    repo.messages.saveMessages({
      messages: [repo.newMessage(id, ann), repo.newMessage(id, cy)],
      recipientsOf: [],
    }),
  );
  await repo.removeMember(id, cy);
  const [late] = await repo.save(repo.newMessage(id, cy));
  assert.equal(codeFromNumber(late?.error ?? 0), 'NOT_CONVERSATION_MEMBER');
  const after = await repo.messages.saveMessages({ messages: [repo.newMessage(id, ann)], recipientsOf: [] });
  assert.deepEqual(usersOf(after.recipients[0]?.gateways ?? [], 'gateway-cy'), []);
  await Promise.all(sending);
  const { messages } = await repo.messages.getMessageRange({
    conversationId: id,
    firstSeqId: 1,
    lastSeqId: 100,
  });
  const ofCy = messages.filter(({ sender }) => sender?.id === cy).map(({ seqId }) => seqId);
  assert.ok((ofCy.at(-1) ?? 0) < (after.results[0]?.seqId ?? 0));
});

test('messages name the members who joined a moment ago, and no others', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const newcomers = async (process: MessageParts = repo) => {
    const { recipients } = await process.messages.saveMessages({
      messages: [repo.newMessage(id, users[0])],
      recipientsOf: [],
    });
    return recipients[0]?.newcomerIds;
  };
  const another = () => createMessageParts({ ...repo, metrics: createMetrics('another') });
  const join = async (age: number): Promise<string> => {
    const [user = ''] = await repo.newUsers(1);
    await repo.databases.users.batch(
      `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${id};
       INSERT INTO conversation_members (user_id, conversation_id, role, joined_at, changed_at)
       VALUES (${user}, ${id}, 1, ${databaseTime} - ${age}, ${databaseTime} - ${age})`,
    );
    return user;
  };
  assert.deepEqual(await newcomers(), []);
  // The list of this process may be hours old.
  const dan = await join(3_600_000);
  assert.deepEqual(await newcomers(), []);
  const cy = await join(0);
  assert.deepEqual(await newcomers(), [cy]);
  assert.deepEqual(await newcomers(), [cy]);
  assert.deepEqual(await newcomers(another()), [cy]);
  // Whose role changes is no newcomer.
  await repo.databases.users.batch(
    `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${id};
     UPDATE conversation_members SET changed_at = ${databaseTime} WHERE user_id = ${dan}`,
  );
  assert.deepEqual(await newcomers(), [cy]);
  await repo.removeMember(id, users[1]);
  assert.deepEqual(await newcomers(), [cy]);
  // The first members of a new conversation learn of it by another event.
  await repo.databases.users.query(`UPDATE conversations SET created_at = ${databaseTime} WHERE id = ${id}`);
  assert.deepEqual(await newcomers(another()), []);
});

test('a page of members names those who joined a moment ago', async () => {
  const { users, id } = await repo.newConversationOf(2);
  await repo.fanout.resolveMemberPage({ conversationId: id, afterUserId: '', limit: 1 });
  const [cy = ''] = await repo.newUsers(1);
  await repo.databases.users.batch(
    `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${id};
     INSERT INTO conversation_members (user_id, conversation_id, role, joined_at, changed_at)
     VALUES (${cy}, ${id}, 1, ${databaseTime}, ${databaseTime})`,
  );
  const named: Record<string, string[]> = {};
  for (let afterUserId = '', more = true; more; ) {
    const page = await repo.fanout.resolveMemberPage({ conversationId: id, afterUserId, limit: 1 });
    named[afterUserId] = page.newcomerIds;
    afterUserId = page.nextAfterUserId;
    more = afterUserId !== '';
  }
  const before = ['', ...users.toSorted((a, b) => Number(a) - Number(b))];
  assert.deepEqual(
    named,
    Object.fromEntries(before.map((userId, at) => [userId, at === users.length ? [cy] : []])),
  );
});

test('recipients are the members with a session, by gateway', async () => {
  const { users, id } = await repo.newConversationOf(3);
  const [ann, bob, cy] = users as [string, string, string];
  await repo.goOnline(ann, 'a');
  await repo.goOnline(bob, 'b');
  const [stranger] = (await repo.newUsers(1)) as [string];
  await repo.goOnline(stranger, 'a');
  const { recipients } = await repo.messages.saveMessages({
    messages: [repo.newMessage(id, ann)],
    recipientsOf: [],
  });
  const [{ gateways = [] } = {}] = recipients;
  assert.deepEqual([usersOf(gateways, 'gateway-a'), usersOf(gateways, 'gateway-b')], [[ann], [bob]]);
  assert.ok(!gateways.flatMap(({ userIds }) => userIds).includes(cy));
  const queries = [
    { conversationId: id, extraUserIds: [stranger] },
    { conversationId: 'x', extraUserIds: [] },
  ];
  const saves = await savesCounted();
  const { queried } = await repo.messages.saveMessages({ messages: [], recipientsOf: queries });
  assert.deepEqual(usersOf(queried[0]?.gateways ?? [], 'gateway-a').toSorted(), [ann, stranger].toSorted());
  assert.deepEqual(queried[1]?.gateways, []);
  assert.deepEqual((await repo.messages.resolveRecipients({ queries, stored: [] })).recipients, queried);
  assert.equal(await savesCounted(), saves, 'asking is no save');
});

async function savesCounted(): Promise<number> {
  const shown = await repo.metrics.registry.getSingleMetricAsString('gochat_save_batch_messages');
  return Number(/_count (\d+)/.exec(shown)?.[1]);
}

test('a conversation uses fan-out above 500 members, and returns to direct delivery only when the fan-out has caught up', async () => {
  const { users, id } = await repo.newConversationOf(3);
  const send = async () =>
    (await repo.messages.saveMessages({ messages: [repo.newMessage(id, users[0])], recipientsOf: [] }))
      .recipients[0];
  const progress = async () => (await repo.fanout.getFanoutProgress({ conversationIds: [id] })).progress[0];
  const setMembers = (count: number) =>
    repo.databases.users.execute('UPDATE conversations SET member_count = ? WHERE id = ?', [
      count,
      Number(id),
    ]);
  assert.equal((await send())?.fanout, false);
  await setMembers(501);
  assert.deepEqual([(await send())?.fanout, (await progress())?.fanoutDoneSeq], [true, 1]);
  await setMembers(500);
  assert.equal((await send())?.fanout, true);
  assert.deepEqual(await repo.fanout.setFanoutDone({ conversationId: id, doneSeqId: 99 }), {
    fanoutDoneSeq: 3,
    lastSeqId: 3,
  });
  assert.deepEqual(await repo.fanout.setFanoutDone({ conversationId: id, doneSeqId: 1 }), {
    fanoutDoneSeq: 3,
    lastSeqId: 3,
  });
  assert.equal((await send())?.fanout, false);
  const page = await repo.fanout.resolveMemberPage({ conversationId: id, afterUserId: '', limit: 2 });
  assert.equal(page.nextAfterUserId, users.toSorted((a, b) => Number(a) - Number(b))[1]);
});

test('a message stored for direct delivery is redelivered directly, also if the conversation has become large', async () => {
  const { users, id } = await repo.newConversationOf(3);
  const [ann, bob] = users;
  await repo.goOnline(bob, 'bob');
  const redeliver = async (...messages: NewMessage[]) => {
    const { results, recipients } = await repo.messages.saveMessages({ messages, recipientsOf: [] });
    const reached = recipients[0]?.gateways.flatMap(({ userIds }) => userIds);
    return { direct: results.map(({ direct }) => direct), fanout: recipients[0]?.fanout, reached };
  };
  const small = repo.newMessage(id, ann);
  await repo.save(small);
  await repo.databases.users.execute('UPDATE conversations SET member_count = 501 WHERE id = ?', [
    Number(id),
  ]);
  assert.deepEqual((await redeliver(small)).fanout, false);
  // In the batch that finds the conversation large, and in those after it.
  const large = repo.newMessage(id, ann);
  for (let time = 0; time < 2; time += 1) {
    const { direct, fanout, reached } = await redeliver(small, large);
    assert.deepEqual([direct, fanout], [[true, false], true]);
    assert.ok(reached?.includes(bob) && reached.every((user) => users.includes(user)));
  }
  // The client's retry is still delivered to nobody.
  const [retry] = await repo.save(repo.newMessage(id, ann, { clientMsgId: small.clientMsgId }));
  assert.deepEqual([retry?.duplicate, retry?.direct], [true, false]);
  await repo.fanout.setFanoutDone({ conversationId: id, doneSeqId: 2 });
  // Fan-out has passed this one on.
  const { direct, reached } = await redeliver(large);
  assert.deepEqual([direct, reached], [[false], []]);
});

test('messages of the world room are broadcast to all gateways', async () => {
  const [ann] = (await repo.newUsers(1)) as [string];
  await repo.databases.users.execute(
    'INSERT INTO conversation_members (user_id, conversation_id, role, joined_at) VALUES (?, 1, 1, 1)',
    [Number(ann)],
  );
  await repo.goOnline(ann, 'w');
  const { recipients, queried } = await repo.messages.saveMessages({
    messages: [repo.newMessage('1', ann)],
    recipientsOf: [{ conversationId: '1', extraUserIds: [] }],
  });
  assert.deepEqual([recipients[0]?.fanout, recipients[0]?.broadcast], [true, true]);
  assert.equal(queried[0]?.broadcast, true);
  assert.ok(queried[0]?.gateways.some(({ gatewayId }) => gatewayId === 'gateway-w'));
});

test('without Redis messages are stored just the same, and go to every gateway that may hold a member', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  await repo.goOnline(ann, 'r');
  await redis.kill();
  try {
    await eventually(() => !repo.redis.isUp());
    const answer = await repo.messages.saveMessages({
      messages: [repo.newMessage(id, ann)],
      recipientsOf: [],
    });
    assert.deepEqual(seqs(answer.results), [1]);
    assert.deepEqual(usersOf(answer.recipients[0]?.gateways ?? [], 'gateway-r').toSorted(), users.toSorted());
    assert.equal(answer.senders[0]?.id, ann);
    assert.equal((await history(ann, id)).length, 1);
  } finally {
    await redis.restart();
    await eventually(() => repo.redis.isUp());
  }
});

test('a frozen Redis costs one short wait', async () => {
  const { users, id } = await repo.newConversationOf(2);
  redis.freeze();
  try {
    const began = performance.now();
    for (let n = 1; n <= 5; n += 1)
      assert.deepEqual(seqs(await repo.save(repo.newMessage(id, users[0]))), [n]);
    assert.ok(performance.now() - began < 1500, `took ${performance.now() - began} ms`);
  } finally {
    redis.thaw();
    await eventually(() => repo.redis.isUp());
  }
});

const usersOf = (
  gateways: readonly { gatewayId: string; userIds: string[] }[],
  gatewayId: string,
): string[] => gateways.find((gateway) => gateway.gatewayId === gatewayId)?.userIds ?? [];

test('who gets stored messages can be asked after they were stored, with the same answer', async () => {
  const { users, id } = await repo.newConversationOf(3);
  const [ann, bob] = users as [string, string, string];
  await repo.goOnline(bob, 'a');
  await repo.save(repo.newMessage(id, bob));
  const [first, second] = [repo.newMessage(id, ann), repo.newMessage(id, bob)];
  const saved = await repo.messages.saveMessages({
    messages: [first, second],
    recipientsOf: [],
    storedOnly: true,
  });
  assert.deepEqual(
    [saved.results.map(({ seqId }) => seqId), saved.recipients, saved.senders],
    [[2, 3], [], []],
  );
  const { stored } = saved;
  const resolved = await repo.messages.resolveRecipients({ queries: [], stored });

  // Both are redelivered to compare: the same source is answered as if it were new.
  const together = await repo.messages.saveMessages({ messages: [first, second], recipientsOf: [] });
  assert.deepEqual(resolved.storedRecipients, together.recipients);
  assert.deepEqual(resolved.senders.map(({ id: userId }) => userId).toSorted(), [ann, bob].toSorted());
  const receipts = resolved.readReceipts.map(({ index, userIds }) => [index, userIds]);
  assert.deepEqual(receipts, [
    [0, [bob]],
    [1, [ann]],
  ]);
  await refusedWith(
    repo.messages.saveMessages({
      messages: [first],
      recipientsOf: [{ conversationId: id, extraUserIds: [] }],
      storedOnly: true,
    }),
    'INVALID_ARGUMENT',
  );
});
