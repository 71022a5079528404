import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { openFrameSocket } from './frame-socket.ts';

/** Connects a frame socket to a real WebSocket server; returns what both received. */
async function conversation(talk: (server: WebSocket) => void, protocols = 'gochat.v1') {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const got: string[] = [];
  const received: string[] = [];
  const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      received.push(String(data));
      if (String(data) === 'bye') socket.close(4003);
    });
    talk(socket);
  });
  const { port } = server.address() as AddressInfo;
  const socket = openFrameSocket(`http://127.0.0.1:${port}/ws`, protocols, {
    onText(bytes, from, to) {
      got.push(bytes.toString('utf8', from, to));
      if (got.at(-1) === 'last') {
        for (const length of [5, 125, 126, 5000]) socket.send('y'.repeat(length));
        socket.send('bye');
      }
    },
    onClose: (code, reason) => resolve({ code, reason }),
  });
  const end = await promise;
  server.close();
  return { got, received, end };
}

test('frames of all lengths are sent and received, however the bytes are split', async () => {
  const sent = [1, 125, 126, 65_535, 65_536, 300_000, 7].map((length) => 'z'.repeat(length));
  const { got, received, end } = await conversation((socket) => {
    for (const text of [...sent, 'last']) socket.send(text);
  });
  assert.deepEqual(got, [...sent, 'last']);
  assert.deepEqual(
    received.map(({ length }) => length),
    [5, 125, 126, 5000, 3],
  );
  assert.equal(end.code, 4003);
});

test('a connection that just ends is 1006, and a refused handshake says why', async () => {
  const { end } = await conversation((socket) => socket.terminate());
  assert.equal(end.code, 1006);

  const refusing = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
  });
  refusing.listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  const { port } = refusing.address() as AddressInfo;
  const { promise, resolve } = Promise.withResolvers<string>();
  openFrameSocket(`http://127.0.0.1:${port}/ws`, 'gochat.v1', {
    onText: () => undefined,
    onClose: (_, reason) => resolve(reason),
  });
  assert.match(await promise, /answered with 401/);
  refusing.close();
});
