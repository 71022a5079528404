import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serveUsers } from '../../test/support/grpc/user-server.ts';
import { GoChatError } from '../errors.ts';
import { MessageServiceService } from '../gen/im_logic/v1/message.ts';
import { UserServiceService } from '../gen/im_logic/v1/user.ts';
import { createClient, openChannel } from './client.ts';
import type { GrpcChannel } from './definition.ts';
import type { GrpcServer } from './server.ts';

let server: GrpcServer;
let channel: GrpcChannel;
/** For each call, the number of calls in flight when it began. */
let concurrency: number[] = [];
let answering = 0;

before(async () => {
  server = await serveUsers({
    async getUser({ userId }) {
      concurrency.push(++answering);
      await new Promise((resolve) => setImmediate(resolve));
      answering -= 1;
      if (userId === 'nobody') {
        throw new GoChatError('USER_NOT_FOUND', 'Who?', [{ path: 'userId', message: 'is nobody' }]);
      }
      if (userId === 'broken') throw new TypeError('secret');
      const size = userId.startsWith('large') ? 3 * 1024 * 1024 : 1;
      const displayName = 'x'.repeat(size);
      return {
        user: { id: userId, username: 'u', displayName, avatarUrl: '', isGuest: false, createdAt: 1 },
      };
    },
  });
  channel = openChannel(`127.0.0.1:${server.port}`, undefined);
});
after(async () => {
  channel.close();
  await server.close();
});

const users = () => createClient(channel, UserServiceService, { together: ['getUser'] });

test('concurrent calls are sent together, and each gets its own answer', async () => {
  concurrency = [];
  const { getUser } = users();
  const ids = Array.from({ length: 100 }, (_, index) => `user-${index}`);
  const answers = await Promise.all(ids.map((userId) => getUser({ userId })));
  assert.deepEqual(
    answers.map(({ user }) => user?.id),
    ids,
  );
  assert.ok(Math.max(...concurrency) >= 16, String(Math.max(...concurrency)));
});

test('a failed call fails alone, with its code and fields', async () => {
  const { getUser } = users();
  const [good, unknown, broken] = await Promise.allSettled(
    ['ann', 'nobody', 'broken'].map((userId) => getUser({ userId })),
  );
  assert.equal(good?.status, 'fulfilled');
  assert.ok(unknown?.status === 'rejected' && unknown.reason instanceof GoChatError);
  assert.equal(unknown.reason.code, 'USER_NOT_FOUND');
  assert.deepEqual(unknown.reason.fields, [{ path: 'userId', message: 'is nobody' }]);
  assert.ok(broken?.status === 'rejected' && broken.reason instanceof GoChatError);
  assert.equal(broken.reason.code, 'INTERNAL_ERROR');
  assert.ok(!broken.reason.message.includes('secret'));
});

test('answers that are too large together are sent separately', async () => {
  const { getUser } = users();
  const answers = await Promise.all(['large-1', 'large-2', 'large-3'].map((userId) => getUser({ userId })));
  assert.deepEqual(
    answers.map(({ user }) => [user?.id, user?.displayName.length]),
    ['large-1', 'large-2', 'large-3'].map((id) => [id, 3 * 1024 * 1024]),
  );
});

test('if the server is down or lacks the method, every call fails', async () => {
  const nowhere = openChannel('127.0.0.1:1', undefined);
  const { getUser } = createClient(nowhere, UserServiceService, { together: ['getUser'] });
  const options = { deadlineMs: 300 };
  const failed = await Promise.allSettled([
    getUser({ userId: '1' }, options),
    getUser({ userId: '2' }, options),
  ]);
  for (const one of failed) assert.ok(one.status === 'rejected' && one.reason.code === 'UNAVAILABLE');
  nowhere.close();
  const { deleteMessage } = createClient(channel, MessageServiceService, { together: ['deleteMessage'] });
  const request = { userId: '1', conversationId: '2', messageId: 3 };
  for (const one of await Promise.allSettled([deleteMessage(request), deleteMessage(request)])) {
    assert.equal(one.status, 'rejected');
  }
});
