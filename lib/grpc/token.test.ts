import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client, credentials, loadPackageDefinition, Metadata, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import { serveUsers } from '../../test/support/grpc/user-server.ts';
import { TogetherServiceService } from '../gen/gochat_rpc/v1/together.ts';
import { UserServiceService } from '../gen/im_logic/v1/user.ts';
import { createClient, openChannel } from './client.ts';
import type { GrpcServer } from './server.ts';
import { type GrpcToken, readGrpcToken } from './token.ts';

const folder = mkdtempSync(join(tmpdir(), 'grpc-token-'));
const reflectionProto = createRequire(import.meta.url).resolve(
  '@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
);
const user = { id: '7', username: 'ann', displayName: 'Ann', avatarUrl: '', isGuest: false, createdAt: 1 };
const answer = { user, presence: undefined };
let server: GrpcServer;

function tokenOf(text: string): GrpcToken | undefined {
  const path = join(folder, 'token');
  writeFileSync(path, text);
  return readGrpcToken(path);
}

before(async () => {
  server = await serveUsers(
    {
      getUser: async () => answer,
    },
    tokenOf('the-new-token-of-all\nthe-old-token-of-all\n'),
  );
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const address = () => `127.0.0.1:${server.port}`;

/** The answer to a plain gRPC client that sends this authorization. */
async function answerTo(authorization: string | undefined, method = UserServiceService.getUser) {
  const metadata = new Metadata();
  if (authorization !== undefined) metadata.set('authorization', authorization);
  const client = new Client(address(), credentials.createInsecure());
  const answer = await new Promise<{ status: number; code: string }>((resolve) => {
    const request = method.requestDeserialize(Buffer.alloc(0));
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadata,
      (error) =>
        resolve({
          status: error?.code ?? status.OK,
          code: String(error?.metadata.get('gochat-code')[0] ?? ''),
        }),
    );
  });
  client.close();
  return answer;
}

test('a call with the token is answered, also with an old token that is still listed', async () => {
  for (const token of ['the-new-token-of-all', 'the-old-token-of-all\nthe-new-token-of-all']) {
    const channel = openChannel(address(), tokenOf(token));
    const users = createClient(channel, UserServiceService, { together: ['getUser'] });
    assert.deepEqual(await users.getUser({ userId: '7' }), answer);
    assert.deepEqual(await Promise.all([users.getUser({ userId: '7' }), users.getUser({ userId: '7' })]), [
      answer,
      answer,
    ]);
    assert.equal(await channel.ready(), true);
    channel.close();
  }
});

test('a call without the token, or with another one, is UNAUTHENTICATED, whichever method it names', async () => {
  const wrong = [
    undefined,
    '',
    'Bearer',
    'the-new-token-of-all',
    'Bearer the-new-token-of-al',
    'Bearer the-new-token-of-alx',
  ];
  for (const authorization of wrong) {
    const refused = { status: status.UNAUTHENTICATED, code: 'UNAUTHENTICATED' };
    assert.deepEqual(await answerTo(authorization), refused, authorization);
    const { callTogether } = TogetherServiceService;
    // biome-ignore lint/suspicious/noExplicitAny: any unary method will do.
    assert.deepEqual(await answerTo(authorization, callTogether as any), refused, authorization);
  }
  assert.equal((await answerTo('Bearer the-new-token-of-all')).status, status.OK);
});

test('health and reflection need no token', async () => {
  // biome-ignore lint/suspicious/noExplicitAny: a client made from a proto file at run time has no types.
  const { grpc } = loadPackageDefinition(loadSync([reflectionProto, healthProto])) as any;
  const health = new grpc.health.v1.Health(address(), credentials.createInsecure());
  const healthy = await new Promise((resolve, reject) =>
    health.check({ service: '' }, (error: unknown, answer: unknown) =>
      error ? reject(error) : resolve(answer),
    ),
  );
  assert.deepEqual(healthy, { status: 1 });
  health.close();

  const reflection = new grpc.reflection.v1.ServerReflection(address(), credentials.createInsecure());
  const stream = reflection.ServerReflectionInfo();
  const answer = new Promise((resolve, reject) => stream.once('data', resolve).once('error', reject));
  stream.write({ listServices: '' });
  const { listServicesResponse } = (await answer) as {
    listServicesResponse: { service: { name: string }[] };
  };
  assert.ok(listServicesResponse.service.length > 0);
  stream.end();
  reflection.close();
});

test('users of a service with a wrong token get UNAVAILABLE, and are not signed out', async () => {
  for (const token of [undefined, tokenOf('the-token-of-others')]) {
    const channel = openChannel(address(), token);
    const users = createClient(channel, UserServiceService, { together: ['getUser'] });
    await assert.rejects(users.getUser({ userId: '7' }), { code: 'UNAVAILABLE' });
    await assert.rejects(users.deleteAccount({ userId: '7' }), { code: 'UNAVAILABLE' });
    assert.equal(await channel.ready(), false);
    channel.close();
  }
});

test('callers within the process need no token', async () => {
  assert.deepEqual(await createClient(server.local, UserServiceService).getUser({ userId: '7' }), answer);
});

test('a file without a valid token prevents the start', () => {
  assert.equal(readGrpcToken(''), undefined);
  for (const text of ['', '\n', 'short', `${'x'.repeat(16)} y`, `${'x'.repeat(16)}\nshort`]) {
    assert.throws(() => tokenOf(text), /must hold a token of 16 to 256/, text);
  }
  assert.throws(() => readGrpcToken(join(folder, 'nowhere')), /cannot read the secret file/);
});
