import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { serveUsers } from '../../test/support/grpc/user-server.ts';

const reflectionProto = createRequire(import.meta.url).resolve(
  '@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
);

test('reflection lists the served services, and not the imported proto files', async () => {
  const served = await serveUsers();
  // biome-ignore lint/suspicious/noExplicitAny: a client built from a proto file at run time has no types.
  const { grpc } = loadPackageDefinition(loadSync(reflectionProto, { keepCase: true })) as any;
  const client = new grpc.reflection.v1.ServerReflection(
    `127.0.0.1:${served.port}`,
    credentials.createInsecure(),
  );
  const stream = client.ServerReflectionInfo();
  const answered = new Promise<{ list_services_response: { service: { name: string }[] } }>(
    (resolve, reject) => stream.once('data', resolve).once('error', reject),
  );
  stream.write({ list_services: '' });
  const { list_services_response } = await answered;
  assert.deepEqual(
    list_services_response.service.map(({ name }) => name),
    ['im_logic.v1.UserService'],
  );
  stream.end();
  client.close();
  await served.close();
});
