import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { type Door, openDoor } from './door.ts';

let echo: Server;
let door: Door;
let port: number;

before(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => undefined).pipe(socket));
  echo.listen(0, '127.0.0.1');
  const spare = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(echo, 'listening'), once(spare, 'listening')]);
  port = (spare.address() as AddressInfo).port;
  spare.close();
  await once(spare, 'close');
  door = await openDoor({ port, target: (echo.address() as AddressInfo).port });
});
after(async () => {
  await door.close();
  echo.close();
});
beforeEach(() => door.set({ is: 'open' }));

/** A client that connects through the door. */
async function visitor() {
  const socket: Socket = connect(port, '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (text) => {
    heard += text;
  });
  const closed = once(socket, 'close').catch((error) => error);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const hears = async (text: string) => {
    while (heard !== text) await once(socket, 'data');
  };
  return { socket, closed, hears, heard: () => heard };
}

test('an open door forwards all bytes, also many, and the end of the connection', async () => {
  const { socket, hears, closed } = await visitor();
  const much = 'x'.repeat(3_000_000);
  socket.end(much);
  await hears(much);
  await closed;
});

test('a slow door forwards late, and in order', async () => {
  door.set({ is: 'slow', delayMs: 60 });
  const { socket, hears } = await visitor();
  const from = performance.now();
  for (const part of ['a', 'b', 'c']) socket.write(part);
  await hears('abc');
  assert.ok(performance.now() - from >= 119, 'once each way');
  door.set({ is: 'open' });
  socket.write('d');
  await hears('abcd');
  socket.destroy();
});

test('a silent door holds all bytes back until it opens, and loses none', async () => {
  const { socket, hears, heard } = await visitor();
  socket.write('before');
  await hears('before');
  door.set({ is: 'silent' });
  socket.write(', meanwhile');
  const late = await visitor();
  late.socket.write('hello');
  const other = await visitor();
  assert.deepEqual([heard(), late.heard(), other.heard()], ['before', '', '']);
  door.set({ is: 'open' });
  await hears('before, meanwhile');
  await late.hears('hello');
  for (const { socket } of [late, other]) socket.destroy();
  socket.destroy();
});

test('a shut door resets open and new connections', async () => {
  const inside = await visitor();
  inside.socket.write('a');
  await inside.hears('a');
  door.set({ is: 'shut' });
  await inside.closed;
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'close').catch(() => undefined);
  door.set({ is: 'open' });
  const next = await visitor();
  next.socket.write('again');
  await next.hears('again');
  next.socket.destroy();
});
