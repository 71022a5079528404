import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../../../lib/errors.ts';
import { openChannel } from '../../../lib/grpc/client.ts';
import { eventually } from '../../support/eventually.ts';
import { openRepoService } from '../../support/repo/repo-service.ts';

const { service, address, repo } = await openRepoService();

const get = (path: string) => fetch(`http://127.0.0.1:${service.adminPort}${path}`);
const password = 'correct horse battery';

async function healthOf(service: string): Promise<number | undefined> {
  const channel = openChannel(address, undefined);
  const name = Buffer.from(service);
  try {
    const check = channel.unary({
      path: '/grpc.health.v1.Health/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    });
    const reply = await check(Buffer.concat([Buffer.from([0x0a, name.length]), name]));
    // HealthCheckResponse: field 1, status; 1 is SERVING.
    return reply[1];
  } finally {
    channel.close();
  }
}

test('it becomes ready with all it depends on, and shows how the outbox stands', async () => {
  await eventually(async () => (await get('/readyz')).status === 200);
  const { dependencies } = (await (await get('/readyz')).json()) as { dependencies: object };
  assert.deepEqual(Object.keys(dependencies).sort(), ['kafka', 'mysql', 'redis']);
  const metrics = await (await get('/metrics')).text();
  for (const name of [
    'gochat_outbox_age_seconds',
    'gochat_outbox_pending',
    'gochat_db_waiting',
    'gochat_cache_hit_ratio',
  ]) {
    assert.match(metrics, new RegExp(`^# TYPE ${name} `, 'm'));
  }
});

test('all seven services answer for their health', async () => {
  for (const name of [
    'User',
    'Conversation',
    'Message',
    'Friendship',
    'Sequence',
    'Idempotency',
    'OnlineStatus',
  ]) {
    assert.equal(await healthOf(`im_repo.v1.${name}Service`), 1, name);
  }
});

test('two people register, befriend each other, get their conversation, and talk', async () => {
  const register = async (username: string) => {
    const { user } = await repo.users.createUser({ username, password, avatarUrl: '', isGuest: false });
    assert.ok(user);
    return user;
  };
  const [ann, ben] = [await register('ann'), await register('ben')];
  const asked = await repo.friendships.createFriendRequest({
    requesterId: ann.id,
    targetId: ben.id,
    message: 'hi',
    ttlMs: 60_000,
  });
  const requestId = asked.request?.id ?? '';
  await repo.friendships.updateFriendRequest({ requestId, actorId: ben.id, status: 1 });
  const single = {
    conversationId: '',
    type: 1,
    name: '',
    avatarUrl: '',
    description: '',
    creatorId: ben.id,
    initialMemberIds: [ann.id],
    activate: true,
    maxMembers: 0,
    friendRequestId: requestId,
  };
  const { conversation } = await repo.conversations.createConversation(single);
  const conversationId = conversation?.conversation?.id ?? '';
  const repeated = await repo.conversations.createConversation(single);
  assert.deepEqual([repeated.created, repeated.conversation?.conversation?.id], [false, conversationId]);

  const { friends } = await repo.friendships.getUserFriends({
    userId: ann.id,
    limit: 0,
    offset: 0,
    friendId: '',
  });
  assert.deepEqual(friends, [
    { user: ben, remark: '', online: false, lastActiveAt: friends[0]?.lastActiveAt, conversationId },
  ]);

  const send = (senderId: string, clientMsgId: string) =>
    repo.messages.saveMessage({
      message: {
        conversationId,
        senderId,
        messageType: 1,
        content: 'hello',
        clientMsgId,
        mentions: [],
        sourcePartition: -1,
        sourceOffset: -1,
      },
    });
  const { message } = await send(ann.id, 'one');
  assert.equal(message?.seqId, 1);
  const check = await repo.idempotency.checkMessageIdempotency({
    conversationId,
    senderId: ann.id,
    clientMsgId: 'one',
  });
  assert.deepEqual(check, { exists: true, messageId: message?.id, seqId: 1, createdAt: message?.createdAt });

  await repo.friendships.deleteFriend({ userId: ann.id, friendId: ben.id });
  await assert.rejects(send(ben.id, 'two'), (error) => codeOf(error) === 'NOT_FRIENDS');
  await repo.friendships.blockUser({ userId: ann.id, blockedId: ben.id });
  await assert.rejects(send(ben.id, 'three'), (error) => codeOf(error) === 'BLOCKED');
  await assert.rejects(send(ann.id, 'four'), (error) => codeOf(error) === 'BLOCKED');
  await assert.rejects(repo.conversations.createConversation(single), (error) => codeOf(error) === 'BLOCKED');
});

test('a refusal has its code over gRPC, and invalid input affects no other call', async () => {
  await assert.rejects(
    repo.users.createUser({ username: 'ANN', password, avatarUrl: '', isGuest: false }),
    (error) => codeOf(error) === 'USERNAME_TAKEN',
  );
  await assert.rejects(
    repo.users.createUser({ username: 'x y', password, avatarUrl: '', isGuest: false }),
    (error) => codeOf(error) === 'INVALID_ARGUMENT',
  );
  await assert.rejects(
    repo.users.createUser({ username: 'carl', password, avatarUrl: 'x'.repeat(3000), isGuest: false }),
    (error) => codeOf(error) === 'INVALID_ARGUMENT',
  );
  for (const userId of ['0', '-1', '9'.repeat(30), "1' OR '1'='1", '\0', '😀']) {
    await assert.rejects(repo.users.getUser({ userId }), (error) => codeOf(error) === 'USER_NOT_FOUND');
    assert.deepEqual(await repo.users.listSessions({ userId }), { sessions: [], nextCursor: undefined });
    assert.deepEqual(await repo.friendships.listBlocks({ userId }), { users: [], nextCursor: undefined });
  }
});

test('a flood of sign-ins leaves the rest answering', async () => {
  const flood = Array.from({ length: 60 }, () =>
    repo.users.verifyPassword({ username: 'ann', password: 'wrong' }, { deadlineMs: 20_000 }),
  );
  const started = performance.now();
  for (let n = 0; n < 20; n++) await repo.users.getUserByUsername({ username: 'ann' });
  const each = (performance.now() - started) / 20;
  assert.ok(each < 200, `a lookup took ${Math.round(each)} ms beside the flood`);
  assert.ok((await Promise.all(flood)).every(({ valid }) => !valid));
});
