import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { parseTrustedProxies } from '../door/trusted-proxies.ts';
import { limitConnections } from './connection-limit.ts';

/** A server that sees all its peers at the address `from`, and takes two connections per address. */
async function limited(t: TestContext, trustProxy: string, from: string) {
  const server = createServer((_request, response) => response.end());
  server.on('connection', (socket) => Object.defineProperty(socket, 'remoteAddress', { value: from }));
  let refusals = 0;
  limitConnections(server, {
    maxSockets: 100,
    maxSocketsPerAddress: 1,
    proxies: parseTrustedProxies(trustProxy),
    onRefused: () => {
      refusals += 1;
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  /** Opens a connection that sends nothing. Resolves to whether it is taken. */
  async function isTaken(): Promise<boolean> {
    const before = refusals;
    const accepted = once(server, 'connection');
    sockets.push(connect(port, '127.0.0.1').on('error', () => undefined));
    await accepted;
    return refusals === before;
  }

  /** Sends a request over a connection that stays open. */
  async function request(text: string): Promise<void> {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    sockets.push(socket);
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 200 OK/);
  }

  return { isTaken, request };
}

const forwarded = 'GET / HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 198.51.100.7\r\n\r\n';
const direct = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
const times = (count: number, run: () => Promise<unknown>) =>
  Array.from({ length: count }).reduce<Promise<unknown>>((before) => before.then(run), Promise.resolve());

test('with a number of proxies, silent connections of a public address are limited', async (t) => {
  for (const from of ['203.0.113.5', '::ffff:203.0.113.5', '2001:db8::5', '172.32.0.1']) {
    const { isTaken } = await limited(t, '1', from);
    const taken = [await isTaken(), await isTaken(), await isTaken()];
    assert.deepEqual(taken, [true, true, false], from);
  }
});

test('with a number of proxies, a connection no longer counts once it brings a forwarded request', async (t) => {
  const { isTaken, request } = await limited(t, '1', '203.0.113.5');
  await times(5, () => request(forwarded));
  await request(direct);
  assert.deepEqual([await isTaken(), await isTaken()], [true, false]);
});

test('with a number of proxies, a private address is that of a proxy from the start', async (t) => {
  for (const from of ['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.0.9', '100.64.0.1', '::1', 'fd00::7']) {
    const { isTaken } = await limited(t, '1', from);
    await times(4, async () => assert.ok(await isTaken(), from));
  }
});

test('without proxies, and for peers that are not listed, the header changes nothing', async (t) => {
  for (const [trustProxy, from] of [
    ['0', '127.0.0.1'],
    ['0', '203.0.113.5'],
    ['10.0.0.0/8', '203.0.113.5'],
  ] as const) {
    const { isTaken, request } = await limited(t, trustProxy, from);
    await times(2, () => request(forwarded));
    assert.equal(await isTaken(), false, trustProxy);
  }
  const { isTaken } = await limited(t, '203.0.113.0/24', '203.0.113.5');
  await times(4, async () => assert.ok(await isTaken()));
});
