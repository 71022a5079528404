import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { createGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';

let world: GatewayWorld;
let here: Awaited<ReturnType<GatewayWorld['start']>>;

before(async () => {
  world = await createGatewayWorld();
  here = await world.start();
});
after(() => world.close());

/** Writes bytes to the gateway's port and answers all that comes back until the connection ends. */
const talk = (bytes: string) =>
  new Promise<string>((resolve, reject) => {
    let answer = '';
    const socket = connect(here.gateway.port, '127.0.0.1', () => socket.write(bytes));
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

test('what is no HTTP gets a problem and the door', async () => {
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

test('a handshake that is none is refused, and the gateway goes on', async () => {
  const token = await world.token('5');
  const handshake = `GET /ws?token=${token} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`;
  assert.match(await talk(handshake), /^HTTP\/1\.1 400 /);
  assert.equal((await fetch(`${here.url}/healthz`)).status, 200);
});

test('while logic answers nothing, calls get UNAVAILABLE with a hint when to retry', async () => {
  const headers = { authorization: `Bearer ${await world.token('5')}` };
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
