import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { openSystemParts } from '../support/system-parts.ts';

const { REPO_ADDRESS = '', LOGIC_ADDRESS = '', GRPC_TOKEN_FILE = '' } = process.env;

/** The status that a method answers to an empty request of a caller with this token. */
async function answerTo(address: string, path: string, token?: string): Promise<number> {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const client = new Client(address, credentials.createInsecure());
  const asIs = (bytes: Buffer) => bytes;
  const code = await new Promise<number>((resolve) =>
    client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), metadata, (error) =>
      resolve(error?.code ?? status.OK),
    ),
  );
  client.close();
  return code;
}

test('no service answers a caller without the token, whose file only its owner can read', async () => {
  const parts = openSystemParts();
  const { gateways } = await parts.repo.presence.listGateways({});
  assert.equal(gateways.length, 2);
  const doors: [address: string, path: string][] = [
    [REPO_ADDRESS, '/im_repo.v1.OnlineStatusService/ListGateways'],
    [LOGIC_ADDRESS, '/im_logic.v1.AuthService/ListRevokedSessions'],
    ...gateways.map(({ pushAddress }): [string, string] => [
      pushAddress,
      '/im_gateway.v1.PusherService/PushToUsers',
    ]),
  ];
  const token = readFileSync(GRPC_TOKEN_FILE, 'utf8').trim();
  for (const [address, path] of doors) {
    assert.equal(await answerTo(address, path), status.UNAUTHENTICATED, path);
    assert.equal(await answerTo(address, path, `${token}x`), status.UNAUTHENTICATED, path);
    assert.equal(await answerTo(address, path, token), status.OK, path);
  }
  assert.equal(statSync(GRPC_TOKEN_FILE).mode & 0o777, 0o600);
});
