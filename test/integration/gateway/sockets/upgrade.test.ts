import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { test } from 'node:test';
import { WebSocket as RawSocket } from 'ws';
import { eventually } from '../../../support/eventually.ts';
import { openGatewaySystem } from '../../../support/gateway/gateway-system.ts';

const system = await openGatewaySystem({ RATE_LIMIT_FRAMES_PER_SECOND: '0' });
const here = await system.start();

test('upgrades without a good token are refused before they happen', async () => {
  const good = await system.token('5');
  const revoked = randomUUID();
  system.revoked.push(revoked);
  const statusOf = (path: string, protocols: string[] = []) =>
    new Promise<string>((resolve) => {
      const socket = new RawSocket(`${here.url.replace('http', 'ws')}${path}`, protocols);
      socket.on('unexpected-response', (_request, response) => {
        resolve(`${response.statusCode} ${response.headers['www-authenticate'] ?? ''}`.trim());
        socket.terminate();
      });
      socket.on('open', () => {
        resolve(`101 ${socket.protocol}`.trim());
        socket.close();
      });
      socket.on('error', () => undefined);
    });
  const upgraded = (path: string, offered: string) =>
    new Promise<string>((resolve, reject) => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': offered,
      };
      const sent = request(`${here.url}${path}`, { headers });
      sent.on('upgrade', (response, stream) => {
        stream.destroy();
        resolve(response.headers['sec-websocket-protocol'] ?? '');
      });
      sent.on('response', ({ statusCode }) => reject(new Error(`refused with ${statusCode}`)));
      sent.on('error', reject);
      sent.end();
    });
  const forged = `${good.slice(0, -6)}AAAAAA`;
  const challenge = '401 Bearer realm="gochat"';
  assert.equal(await statusOf('/ws'), challenge);
  assert.equal(await statusOf('/ws?token=x'), challenge);
  assert.equal(await statusOf(`/ws?token=${forged}`), challenge);
  assert.equal(await statusOf('/ws', ['gochat.v1', `bearer.${forged}`]), challenge);
  assert.equal(await statusOf(`/ws?token=${await system.token('5', 's', 'refresh+jwt')}`), challenge);
  assert.equal(await statusOf(`/elsewhere?token=${good}`), '404');
  assert.equal(await statusOf(`/ws?token=${good}`), '101');
  assert.equal(await statusOf('/ws', ['gochat.v1', `bearer.${good}`]), '101 gochat.v1');
  assert.equal(await statusOf(`/ws/?token=${good}`), '101');
  assert.equal(await statusOf('/ws/'), challenge);
  assert.equal(await statusOf('/ws?token=', ['gochat.v1', `bearer.${good}`]), '101 gochat.v1');
  assert.equal(await statusOf('/ws?token='), challenge);
  // A list may have empty elements, which no client of ours writes.
  for (const offered of [`gochat.v1, bearer.${good}, `, `,gochat.v1,,bearer.${good}`]) {
    assert.equal(await upgraded('/ws?token=', offered), 'gochat.v1', offered);
  }
  assert.equal(await upgraded(`/ws?token=${good}`, ', '), '');
  const late = await system.token('5', revoked);
  await eventually(async () => (await statusOf(`/ws?token=${late}`)) === challenge);
});
