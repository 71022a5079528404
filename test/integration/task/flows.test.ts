import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setInterval as every } from 'node:timers/promises';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { withAdmin } from '../../../lib/kafka/kafka.ts';
import { topics } from '../../../lib/kafka/topics.ts';
import {
  type CreateGroupResult,
  createGroup,
  createGroupId,
  createGroupStart,
} from '../../../workflows/create-group/contract.ts';
import { friendRequestId } from '../../../workflows/friend-request/contract.ts';
import { eventually } from '../../support/eventually.ts';
import { createFriendCalls } from '../../support/flows/friend-calls.ts';
import { createGuests } from '../../support/people/guests.ts';
import { openTaskSystem } from '../../support/task/task-system.ts';

const worldRoom = '1';
const system = await openTaskSystem();
const { repo, client, kafka, gateway, delivered, say, seqsOf } = system;
const newUsers = (count: number) => createGuests(repo, count);
const newUser = async () => (await newUsers(1))[0] ?? '';

/** 0, 1, 2, …, one per second. */
async function* everySecond(seconds: number): AsyncGenerator<number> {
  let second = 0;
  for await (const _ of every(1000)) {
    yield second++;
    if (second === seconds) return;
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

async function makeGroup(ownerId: string, memberIds: string[]): Promise<CreateGroupResult> {
  const { first } = await repo.sequences.getNextSeq({ name: 'test-groups', count: 1 });
  return client.workflow.executeUpdateWithStart(createGroup.result, {
    startWorkflowOperation: new WithStartWorkflowOperation(
      createGroup.workflowType,
      createGroupStart({
        conversationId: String(4_000_000_000_000_000 + first),
        ownerId,
        memberIds,
        name: 'a group',
        avatarUrl: '',
        description: '',
        maxMembers: 2000,
      }),
    ),
  });
}

test('two people become friends, and both have the conversation', async () => {
  const [ann, bob] = (await newUsers(2)) as [string, string];
  const calls = createFriendCalls(client, [ann, bob]);
  const asked = await calls.request(ann);
  assert.ok(asked.ok);
  const accepted = await calls.decide(bob, asked.requestId, 'accept');
  assert.ok(accepted.ok && accepted.conversationId);
  for (const userId of [ann, bob]) {
    const { conversation } = await repo.conversations.getConversation({
      userId,
      conversationId: accepted.conversationId,
    });
    assert.equal(conversation?.peer?.id, userId === ann ? bob : ann);
  }
  const again = await calls.request(bob);
  assert.equal(!again.ok && again.code, 'ALREADY_FRIENDS');
});

test('the flow of a friend request is found by its target, that of a group by its members', async () => {
  const [ann, bob, eve] = (await newUsers(3)) as [string, string, string];
  await createFriendCalls(client, [ann, bob]).request(ann);
  const made = await makeGroup(ann, [eve]);
  assert.ok(made.ok);
  const about = async (userId: string) => {
    const found: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query: `UserIds = '${userId}'` })) {
      found.push(workflowId);
    }
    return found;
  };
  await eventually(async () => (await about(bob)).includes(friendRequestId(ann, bob)));
  await eventually(async () => (await about(eve)).includes(createGroupId(made.conversationId)));
});

test('when both ask at once there is one friendship', async () => {
  const [ann, bob] = (await newUsers(2)) as [string, string];
  const calls = createFriendCalls(client, [ann, bob]);
  const answers = await Promise.all([calls.request(ann), calls.request(bob)]);
  assert.deepEqual(
    answers.map(({ ok }) => ok),
    [true, true],
  );
  const { friends } = await repo.friendships.getUserFriends({
    userId: ann,
    limit: 10,
    offset: 0,
    friendId: '',
  });
  assert.deepEqual(
    friends.map(({ user }) => user?.id),
    [bob],
  );
});

test('a group is created with all its members or not at all', async () => {
  const [owner, ...members] = await newUsers(4);
  assert.ok(owner);
  const made = await makeGroup(owner, members);
  assert.ok(made.ok);
  const { conversation } = await repo.conversations.getConversation({
    userId: members[0] ?? '',
    conversationId: made.conversationId,
  });
  assert.equal(conversation?.conversation?.memberCount, 4);

  const refused = await makeGroup(owner, [...members, '8999999999999999']);
  assert.equal(!refused.ok && refused.code, 'USER_NOT_FOUND');
  const { conversationIds } = await repo.conversations.getUserConversations({
    userId: owner,
    updatedSince: 0,
  });
  assert.deepEqual(conversationIds.toSorted(), [worldRoom, made.conversationId].toSorted());
});

test('a message in the world room reaches the gateway, without a list of users', async () => {
  const ann = await newUser();
  await say(worldRoom, ann, 3);
  await eventually(() => seqsOf(worldRoom).length >= 3);
  assert.deepEqual(seqsOf(worldRoom), [1, 2, 3]);
  for (const message of delivered) {
    assert.equal(message.broadcast, true);
    assert.equal(message.sender_info.id, ann);
  }
});

test('later messages wake the activity in memory: they are delivered within a fraction of a second, in order, once each', async () => {
  const ann = await newUser();
  const before = seqsOf(worldRoom).length;
  const rounds = 40;
  for (let round = 0; round < rounds; round += 1) await say(worldRoom, ann, 2);
  await eventually(() => seqsOf(worldRoom).length >= before + 2 * rounds);
  assert.deepEqual(seqsOf(worldRoom), upTo(before + 2 * rounds));
  const { status } = await client.workflow.getHandle(`fanout/${worldRoom}`).describe();
  assert.equal(status.name, 'RUNNING');
});

test('a large conversation with a message per second costs Temporal few state transitions', async () => {
  const ann = await newUser();
  const before = seqsOf(worldRoom).length;
  const transitions = async () => {
    const { raw } = await client.workflow.getHandle(`fanout/${worldRoom}`).describe();
    return Number(raw.workflowExecutionInfo?.stateTransitionCount);
  };
  await say(worldRoom, ann, 1);
  await eventually(() => seqsOf(worldRoom).length === before + 1);
  const seconds = 20;
  const from = await transitions();
  for await (const second of everySecond(seconds)) {
    await say(worldRoom, ann, 1);
    await eventually(() => seqsOf(worldRoom).length === before + 2 + second);
  }
  const perMinute = ((await transitions()) - from) * (60 / seconds);
  assert.ok(perMinute < 40, `${perMinute} state transitions per minute`);
});

test('a restarted task service continues where the previous one stopped', async () => {
  const ann = await newUser();
  const before = seqsOf(worldRoom).length;
  await say(worldRoom, ann, 5);
  await system.restart(() => say(worldRoom, ann, 5));
  await eventually(() => seqsOf(worldRoom).length >= before + 10, 30_000);
  assert.deepEqual(seqsOf(worldRoom), upTo(before + 10));
});

test('the messages of a large group reach its online members only', async () => {
  const [owner, ...members] = await newUsers(520);
  assert.ok(owner);
  const made = await makeGroup(owner, members);
  assert.ok(made.ok);
  const online = [members[0] ?? '', members[300] ?? ''];
  const outsider = await newUser();
  await repo.presence.updateSessions({
    ...gateway,
    connected: [...online, outsider].map((userId) => ({
      sessionId: randomUUID(),
      userId,
      connectedAt: Date.now(),
      lastActiveAt: Date.now(),
    })),
    heartbeats: [],
    disconnected: [],
  });
  const { conversationId } = made;
  await say(conversationId, owner, 7);
  await eventually(() => seqsOf(conversationId).length >= 7);
  const mine = delivered.filter((message) => message.conversation_id === conversationId);
  const targets = new Set(mine.flatMap((message) => message.target_user_ids ?? []));
  assert.deepEqual(targets, new Set(online));
  for (const userId of online) {
    const seqs = mine
      .filter((message) => message.target_user_ids?.includes(userId))
      .map(({ seq_id }) => seq_id);
    assert.deepEqual(seqs, upTo(7));
  }
  await eventually(async () => {
    const { progress } = await repo.conversations.getFanoutProgress({ conversationIds: [conversationId] });
    return progress[0]?.fanoutDoneSeq === 7;
  });
});

test('a gateway whose topic is missing or deleted delays no message to the others', async () => {
  const ann = await newUser();
  const gone = { gatewayId: `gone-${randomBytes(4).toString('hex')}`, bootId: randomUUID(), pushAddress: '' };
  const topic = topics.downstream(gone.gatewayId);
  const withKafka = <T>(work: Parameters<typeof withAdmin<T>>[1]) => withAdmin(kafka, work);
  const sayOne = async () => {
    const heard = seqsOf(worldRoom).length;
    const next = Math.max(0, ...seqsOf(worldRoom)) + 1;
    await repo.presence.renewGateway({ gateway: gone, synced: true });
    await say(worldRoom, ann, 1);
    await eventually(() => seqsOf(worldRoom).includes(next), 40_000);
    // The producer may send it several times before it gives up on the topic that vanished.
    assert.deepEqual(new Set(seqsOf(worldRoom).slice(heard)), new Set([next]));
    await eventually(async () => {
      const { progress } = await repo.conversations.getFanoutProgress({ conversationIds: [worldRoom] });
      return progress[0]?.fanoutDoneSeq === next;
    }, 40_000);
  };
  await sayOne();
  await withKafka((admin) => admin.deleteTopics({ topics: [topic] }));
  await sayOne();
  assert.ok((await withKafka((admin) => admin.listTopics())).includes(topic), 'it is there again');
  await repo.presence.releaseGateway(gone);
});
