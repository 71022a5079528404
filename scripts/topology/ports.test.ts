import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { assertPortsDiffer, assertPortsFree } from './ports.ts';

test('a taken port is named with its holder and the variable that moves it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const holder = process.platform === 'linux' ? `.+ \\(pid ${process.pid}\\)` : 'another program';
  await assert.rejects(
    assertPortsFree([{ variable: 'KAFKA_PORT', port }]),
    new RegExp(
      `^Problem: Port ${port} is taken by ${holder}: stop it, or set KAFKA_PORT to another port\\.$`,
    ),
  );
  server.close();
  await once(server, 'close');
  await assertPortsFree([{ variable: 'KAFKA_PORT', port }]);
});

test('one port for two parts is refused before either is started', () => {
  const ports = [
    { variable: 'GATEWAY_PORT', port: 8080 },
    { variable: 'LOGIC_GRPC_PORT', port: 8080 },
  ];
  assert.throws(() => assertPortsDiffer(ports), /LOGIC_GRPC_PORT and GATEWAY_PORT are both 8080/);
});
