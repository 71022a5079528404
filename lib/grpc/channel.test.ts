import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serveUsers } from '../../test/support/grpc/user-server.ts';
import { GoChatError } from '../errors.ts';
import { type GetUserResponse, UserServiceService } from '../gen/im_logic/v1/user.ts';
import { createClient, openChannel } from './client.ts';
import type { GrpcChannel } from './definition.ts';
import type { GrpcServer } from './server.ts';

const user = {
  id: '7',
  username: 'ann',
  displayName: 'Ann',
  avatarUrl: '',
  isGuest: false,
  createdAt: 1,
};
const answer: GetUserResponse = { user, presence: undefined };
let server: GrpcServer;
let channels: Record<'to an address' | 'within the process', GrpcChannel>;

before(async () => {
  server = await serveUsers({
    async getUser({ userId }) {
      if (userId === 'nobody') {
        throw new GoChatError('USER_NOT_FOUND', 'Who?', [{ path: 'userId', message: 'is nobody' }]);
      }
      if (userId === 'broken') throw new TypeError('secret');
      if (userId === 'never') return new Promise(() => {});
      if (userId === 'encoded') {
        return { encoded: Buffer.from(UserServiceService.getUser.responseSerialize(answer)) };
      }
      return answer;
    },
  });
  channels = {
    'to an address': openChannel(`127.0.0.1:${server.port}`, undefined),
    'within the process': server.local,
  };
});
after(async () => {
  for (const channel of Object.values(channels)) channel.close();
  await server.close();
});

for (const way of ['to an address', 'within the process'] as const) {
  const users = () => createClient(channels[way], UserServiceService);

  test(`${way}: a call gets the handler’s answer, encoded or not`, async () => {
    assert.deepEqual(await users().getUser({ userId: '7' }), answer);
    assert.deepEqual(await users().getUser({ userId: 'encoded' }), answer);
  });

  test(`${way}: a caller that asks for bytes gets them, encoded by the handler or not`, async () => {
    const { getUser } = createClient(channels[way], UserServiceService, { encoded: ['getUser'] });
    for (const userId of ['7', 'encoded']) {
      const { encoded } = await getUser({ userId });
      const read: GetUserResponse = UserServiceService.getUser.responseDeserialize(encoded);
      assert.deepEqual(read, answer);
    }
  });

  test(`${way}: an error has its code and fields, and an internal fault reveals no details`, async () => {
    await assert.rejects(users().getUser({ userId: 'nobody' }), {
      code: 'USER_NOT_FOUND',
      message: 'Who?',
      fields: [{ path: 'userId', message: 'is nobody' }],
    });
    await assert.rejects(users().getUser({ userId: 'broken' }), (error: unknown) => {
      assert.ok(error instanceof GoChatError);
      assert.equal(error.code, 'INTERNAL_ERROR');
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });

  test(`${way}: a call that takes longer than its deadline fails with UNAVAILABLE`, async () => {
    await assert.rejects(users().getUser({ userId: 'never' }, { deadlineMs: 50 }), { code: 'UNAVAILABLE' });
  });
}
