import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, test } from 'node:test';
import { conversationType } from '../../../../lib/domain/enumerations.ts';
import { readDatabaseAddresses } from '../../../../services/repo/storage/databases-file.ts';
import { placeConversations } from '../../../../services/repo/storage/placement.ts';
import { eventually } from '../../../support/eventually.ts';
import { openLogicSystem } from '../../../support/logic/logic-system.ts';
import { register } from '../../../support/logic/logic-users.ts';
import { connectDatabases } from '../../../support/repo/database.ts';
import { openSeveralServers } from '../../../support/servers/several-servers.ts';

const { file, servers } = await openSeveralServers();
const system = await openLogicSystem({ DATABASES_FILE: file, TEMPORAL_ADDRESS: '127.0.0.1:1' });
const addresses = readDatabaseAddresses({ DATABASE_URL: '', DATABASES_FILE: file });
const databases = connectDatabases(addresses);
await placeConversations(databases, addresses);
const ann = (await register(system)).userId;
const [inOne, inTwo] = await groupsInEach(6);

afterEach(async () => {
  for (const id of [inOne[0], inTwo[0]])
    await eventually(async () => (await outcome(send(id ?? ''))) === 'OK', 30_000);
});

/** So many groups of Ann in each of the two databases of conversations: enough for all partitions. */
async function groupsInEach(count: number): Promise<[string[], string[]]> {
  const groups: [string[], string[]] = [[], []];
  while (Math.min(groups[0].length, groups[1].length) < count) {
    const { conversation } = await system.repo.conversations.createConversation({
      conversationId: '',
      type: conversationType.group,
      name: 'group',
      avatarUrl: '',
      description: '',
      creatorId: ann,
      initialMemberIds: [],
      activate: true,
      maxMembers: 0,
      friendRequestId: '',
    });
    const id = conversation?.conversation?.id ?? '';
    groups[databases.messagesOf(id) === databases.shards[0] ? 0 : 1].push(id);
  }
  return groups;
}

const send = (conversationId: string, clientMsgId: string = randomUUID()) =>
  system.logic.messages.sendMessage({
    userId: ann,
    conversationId,
    clientMsgId,
    content: 'hello',
    messageType: 1,
    mentions: [],
  });

const outcome = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'OK',
    (error: { code?: string }) => String(error.code),
  );

/** A message as a gateway appends it. Resolves to its acknowledgement, and the milliseconds until then. */
async function append(conversation_id: string, client_msg_id: string = randomUUID()) {
  const begun = performance.now();
  await system.append({
    user_id: ann,
    conversation_id,
    message_type: 1,
    content: 'hello',
    client_msg_id,
    timestamp: Date.now(),
    gateway_id: system.gateway.gatewayId,
    gateway_boot_id: system.gateway.bootId,
    session_id: 'session-1',
  });
  const find = () => system.acks().find((ack) => ack.client_msg_id === client_msg_id);
  await eventually(() => find() !== undefined, 12_000);
  return { ack: find(), ms: performance.now() - begun };
}

const seqIds = async (conversationId: string): Promise<number[]> =>
  (
    await databases
      .messagesOf(conversationId)
      .query<{ seq: number }>(
        'SELECT seq_id AS seq FROM messages WHERE conversation_id = ? ORDER BY seq_id',
        [Number(conversationId)],
      )
  ).map(({ seq }) => seq);

for (const how of ['killed', 'frozen'] as const) {
  test(`a server of conversations is ${how}: only its own are refused, and all others are as quick as before`, async () => {
    for (const id of [...inOne, ...inTwo]) await append(id);
    const server = servers.c2;
    if (how === 'killed') await server.kill();
    else server.freeze();
    const refusals = inTwo.map((id) => append(id));
    const waits: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const sent = await Promise.all(inOne.map((id) => append(id)));
      for (const { ack, ms } of sent) {
        assert.equal(ack?.error, undefined);
        waits.push(ms);
      }
      assert.equal(await outcome(send(inOne[round] ?? '')), 'OK');
    }
    // One save waits for the frozen server for a second, since nobody can know yet that it will not answer.
    assert.ok(Math.max(...waits) < 4000, `the slowest took ${Math.max(...waits)} ms`);
    const median = waits.toSorted((a, b) => a - b)[waits.length >> 1] ?? 0;
    assert.ok(median < 1000, `half of them took more than ${median} ms`);
    for (const { ack, ms } of await Promise.all(refusals)) {
      assert.equal(ack?.error?.code, 'UNAVAILABLE');
      assert.ok(ms < 10_000, `refused after ${ms} ms`);
    }
    const retried = randomUUID();
    const [first = ''] = inTwo;
    assert.equal((await append(first, retried)).ack?.error?.code, 'UNAVAILABLE');

    if (how === 'killed') await server.restart();
    else server.thaw();
    await eventually(async () => (await outcome(send(first, retried))) === 'OK', 30_000);
    for (const id of [...inOne, ...inTwo]) {
      const seqs = await seqIds(id);
      assert.deepEqual(
        seqs,
        seqs.map((_, index) => index + 1),
      );
    }
  });
}

test('the server of the directory is killed: messages go on, and nobody can register until it is back', async () => {
  await servers.directory.kill();
  for (let round = 0; round < 3; round += 1) {
    for (const { ack } of await Promise.all([...inOne, ...inTwo].map((id) => append(id)))) {
      assert.equal(ack?.error, undefined);
    }
  }
  for (const conversationId of [inOne[0] ?? '', inTwo[0] ?? '']) {
    const { conversation } = await system.repo.conversations.getConversation({ userId: ann, conversationId });
    assert.equal(conversation?.lastMessage?.seqId, (await seqIds(conversationId)).length);
  }
  assert.equal(await outcome(register(system)), 'UNAVAILABLE');
  await servers.directory.restart();
  await eventually(async () => (await outcome(register(system))) === 'OK', 30_000);
});

test('the server of accounts is killed: messages of those who are known go on', async () => {
  await Promise.all(inOne.map((id) => append(id)));
  await servers.a1.kill();
  for (const { ack } of await Promise.all([...inOne, ...inTwo].map((id) => append(id)))) {
    assert.equal(ack?.error, undefined);
  }
  await servers.a1.restart();
  await eventually(async () => (await outcome(register(system))) === 'OK', 30_000);
});
