import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../../../support/eventually.ts';
import { openGatewaySystem } from '../../../support/gateway/gateway-system.ts';

const system = await openGatewaySystem();
const here = await system.start();

/** Writes bytes to the gateway's port and answers all that comes back until the connection ends. */
const talk = (bytes: string, port = here.gateway.port) =>
  new Promise<string>((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });

const problemOf = (answer: string) => {
  assert.match(answer, /\r\ncontent-type: application\/problem\+json/i);
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
};

test('bytes that are not HTTP are answered with a problem, and the connection is closed', async () => {
  const answers = await Promise.all([
    talk('nonsense\r\n\r\n'),
    talk(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'y'.repeat(20_000)}\r\n\r\n`),
    talk('GET /healthz HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n'),
    talk('POST /auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n'),
  ]);
  for (const answer of answers) {
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal(problemOf(answer).code, 'INVALID_ARGUMENT');
  }
});

test('an upgrade to anything but a WebSocket is ignored', async () => {
  const answer = await talk(
    'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 200 /);
});

test('an invalid handshake is refused, and the gateway keeps serving', async () => {
  const token = await system.token('5');
  const handshake = `GET /ws?token=${token} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`;
  assert.match(await talk(handshake), /^HTTP\/1\.1 400 /);
  assert.equal((await fetch(`${here.url}/healthz`)).status, 200);
});

test('while logic answers nothing, calls get UNAVAILABLE with a hint when to retry', async () => {
  const headers = { authorization: `Bearer ${await system.token('5')}` };
  const answer = await fetch(`${here.url}/conversations`, { headers });
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1']);
  assert.equal(((await answer.json()) as { code: string }).code, 'UNAVAILABLE');
});

test('readiness names the dependencies, and metrics name the routes', async () => {
  const ready = await fetch(`${here.url}/readyz`);
  assert.deepEqual(
    [ready.status, await ready.json()],
    [200, { ready: true, dependencies: { kafka: 'up', logic: 'up', repo: 'up' } }],
  );
  const metrics = await (await fetch(`http://127.0.0.1:${here.gateway.metricsPort}/metrics`)).text();
  const measured = metrics
    .split('\n')
    .filter((line) => line.startsWith('gochat_http_request_duration_seconds_count'));
  assert.ok(measured.some((line) => line.includes('route="/readyz"') && line.includes('status="200"')));
});

/** A WebSocket's handshake in its own words. */
const handshake = async (headers: string, userId = '5') =>
  `GET /ws?token=${await system.token(userId)} HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
  `sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${headers}\r\n`;

/** Opens a connection, writes to it and answers its first line; it stays open until `close`. */
async function opened(port: number, bytes: string) {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  socket.on('error', () => undefined);
  const answer = await new Promise<string>((resolve) => {
    socket.once('data', (chunk) => resolve(String(chunk)));
    socket.once('close', () => resolve(''));
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { line: answer.split('\r\n', 1)[0] ?? '', answer, closed, close: () => socket.destroy() };
}

test('requests that Node or the router would answer by themselves are counted, measured and checked, too', async () => {
  const there = await system.start({ RATE_LIMIT_ANONYMOUS_PER_MINUTE: '4', ALLOWED_HOSTS: 'x' });
  const { port, metricsPort } = there.gateway;
  const status = async (target: string, headers = 'host: x\r\n') =>
    (await talk(`GET ${target} HTTP/1.1\r\n${headers}connection: close\r\n\r\n`, port)).slice(9, 12);
  const upgrade = 'host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n';
  const upgraded = async (target: string) =>
    (await talk(`GET ${target} HTTP/1.1\r\n${upgrade}\r\n`, port)).slice(9, 12);
  assert.equal(await status('/users/%ff', 'host: y\r\n'), '421');
  assert.equal(await status('http://x/users/%ff'), '400');
  assert.equal(await status('/users/profile', 'host: x\r\nexpect: wonders\r\n'), '401');
  assert.equal(await upgraded('/nowhere'), '404');
  assert.equal(await upgraded('/ws?token=bad'), '401');
  for (const target of ['/users/%ff', '/openapi.json']) assert.equal(await status(target), '429');
  for (const target of ['/nowhere', '/ws', '/ws?token=bad']) assert.equal(await upgraded(target), '429');
  assert.equal(await status('/healthz', 'host: x\r\nexpect: wonders\r\n'), '200');
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  for (const code of ['400', '421', '429']) {
    assert.match(metrics, new RegExp(`duration_seconds_count.*route="none",status="${code}"`), code);
  }
  await there.stop();
});

test('a page of a foreign origin gets no socket; a page of an allowed origin, and a client without an origin, get one', async () => {
  const there = await system.start({ ALLOWED_ORIGINS: 'https://chat.example' });
  const { port } = there.gateway;
  const status = async (headers: string) => {
    const { line, answer, close } = await opened(port, await handshake(headers));
    close();
    if (!line.includes('101')) assert.equal(problemOf(answer).code, 'PERMISSION_DENIED');
    return line.slice('HTTP/1.1 '.length, 'HTTP/1.1 '.length + 3);
  };
  assert.equal(await status('host: gw:8080\r\norigin: https://evil.example\r\n'), '403');
  assert.equal(await status('host: gw:8080\r\norigin: null\r\n'), '403');
  assert.equal(await status('host: gw:8080\r\norigin: http://gw\r\n'), '403');
  assert.equal(await status('host: gw:8080\r\norigin: http://gw:8080\r\n'), '101');
  assert.equal(await status('host: gw:8080\r\norigin: https://chat.example\r\n'), '101');
  assert.equal(await status('host: gw:8080\r\n'), '101');
  await there.stop();
});

test('another host gets no socket', async () => {
  const there = await system.start({ ALLOWED_HOSTS: 'chat.example' });
  const first = async (host: string) => {
    const { line, close } = await opened(there.gateway.port, await handshake(`host: ${host}\r\n`));
    close();
    return line;
  };
  assert.match(await first('evil.example'), /^HTTP\/1\.1 421 /);
  assert.match(await first('chat.example:8080'), /^HTTP\/1\.1 101 /);
  await there.stop();
});

test('sockets beyond the limits per user and per address are refused with 429 before the upgrade', async () => {
  const there = await system.start({
    MAX_SOCKETS_PER_USER: '2',
    MAX_SOCKETS_PER_ADDRESS: '3',
    TRUST_PROXY: '1',
  });
  const { port } = there.gateway;
  const open = async (userId: string, address: string) =>
    opened(port, await handshake(`host: x\r\nx-forwarded-for: 6.6.6.6, ${address}\r\n`, userId));
  const isOpen = ({ line }: { line: string }) => assert.match(line, /^HTTP\/1\.1 101 /);
  const isRefused = ({ line, answer }: { line: string; answer: string }) => {
    assert.match(line, /^HTTP\/1\.1 429 /);
    assert.match(answer, /\r\nretry-after: \d+\r\n/i);
    assert.equal(problemOf(answer).code, 'RATE_LIMITED');
  };
  const held = [await open('71', '192.0.2.1'), await open('71', '192.0.2.2')];
  held.forEach(isOpen);
  isRefused(await open('71', '192.0.2.3'));
  const others = [await open('72', '192.0.2.1'), await open('73', '192.0.2.1')];
  others.forEach(isOpen);
  isRefused(await open('74', '192.0.2.1'));
  isOpen(await open('74', '192.0.2.4'));
  held[0]?.close();
  await eventually(async () => (await open('74', '192.0.2.1')).line.includes('101'));
  await there.stop();
});

test('connections per address are limited, also if nothing is sent over them', async () => {
  const there = await system.start({ MAX_SOCKETS_PER_ADDRESS: '5' });
  const { port } = there.gateway;
  const silent = Array.from({ length: 10 }, () => connect(port, '127.0.0.1'));
  await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  const refused = await talk('', port).catch(String);
  assert.match(refused, /^HTTP\/1\.1 429 .*RATE_LIMITED|ECONNRESET/s);
  for (const socket of silent) socket.destroy();
  await eventually(async () =>
    (await talk('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', port)).includes(' 200 '),
  );
  await there.stop();
});

test('a refused client that does not close the connection is disconnected', async () => {
  const { closed, line } = await opened(
    here.gateway.port,
    'GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
  );
  assert.match(line, /^HTTP\/1\.1 401 /);
  await closed;
});

test('a start with settings that cannot be meant is refused, with a sentence', async () => {
  for (const [name, value] of Object.entries({
    TRUST_PROXY: 'true',
    ALLOWED_ORIGINS: 'chat.example',
    ALLOWED_HOSTS: 'https://chat.example',
    MAX_SOCKETS_PER_USER: '-1',
  })) {
    await assert.rejects(
      system.start({ [name]: value }),
      new RegExp(`^Error: configuration: ${name} `),
      name,
    );
  }
});
