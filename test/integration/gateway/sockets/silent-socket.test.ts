import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket as RawSocket } from 'ws';
import { eventually } from '../../../support/eventually.ts';
import { openGatewaySystem } from '../../../support/gateway/gateway-system.ts';

const system = await openGatewaySystem({ MAX_SOCKETS_PER_USER: '3' });
const here = await system.start();

/** The status of a handshake; a socket that opens is kept. */
async function statusOfHandshake(userId: string, opened: RawSocket[]): Promise<number> {
  const token = await system.token(userId);
  return new Promise((resolve, reject) => {
    const socket = new RawSocket(`${here.url.replace('http', 'ws')}/ws?token=${token}`);
    socket.on('unexpected-response', (_request, { statusCode }) => {
      resolve(statusCode ?? 0);
      socket.terminate();
    });
    socket.on('open', () => {
      opened.push(socket);
      resolve(101);
    });
    socket.on('error', reject);
  });
}

test('one more socket of a user closes the longest-silent one, once that has been silent for 35 s', async () => {
  const userId = system.newUser();
  const sockets = [
    await system.connect(here.url, userId),
    await system.connect(here.url, userId),
    await system.connect(here.url, userId),
  ] as const;
  const [first, second, third] = sockets;
  // The first one speaks last: the second one has been silent for the longest time.
  for (const socket of [third, first]) {
    socket.send('ping');
    await socket.expect('pong');
  }
  const since = Date.now();
  const opened: RawSocket[] = [];
  const statuses = new Set<number>();
  await eventually(
    async () => {
      statuses.add(await statusOfHandshake(userId, opened));
      return opened.length > 0;
    },
    45_000,
    500,
  );
  assert.deepEqual([...statuses], [429, 101]);
  assert.ok(Date.now() - since > 34_000, 'it was refused until then');
  assert.equal((await second.closed).code, 1001);
  for (const socket of [first, third]) await socket.settled();
  for (const socket of opened) socket.close();
  await Promise.all([first.close(), third.close()]);
});
