import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { createLogger, type Logger } from '../../../lib/log.ts';
import { createClientAddress } from './client-address.ts';
import { parseTrustedProxies } from './trusted-proxies.ts';

const silent = createLogger('gateway', 'silent');

const request = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

const seen = (trust: string, remoteAddress: string, forwarded?: string) =>
  createClientAddress(parseTrustedProxies(trust), silent)(request(remoteAddress, forwarded));

test('without a trusted proxy, the client is the peer of the connection, whatever the header says', () => {
  for (const trust of ['', '0', 'false']) assert.equal(seen(trust, '192.0.2.1', '198.51.100.7'), '192.0.2.1');
  assert.equal(seen('0', '::ffff:192.0.2.1'), '192.0.2.1');
});

test('behind a number of proxies, the outermost proxy’s entry counts, and not the client’s own header', () => {
  assert.equal(seen('1', '10.0.0.1', '6.6.6.6, 198.51.100.7'), '198.51.100.7');
  assert.equal(seen('2', '10.0.0.1', '6.6.6.6, 198.51.100.7, 10.0.0.2'), '198.51.100.7');
  assert.equal(seen('2', '10.0.0.1', '198.51.100.7'), '198.51.100.7');
  assert.equal(seen('1', '10.0.0.1'), '10.0.0.1');
});

test('behind proxies that are listed, the nearest other address is the client', () => {
  const trust = '10.0.0.0/8, 2001:db8::/32,192.0.2.9';
  assert.equal(seen(trust, '10.0.0.1', '10.9.9.9, 198.51.100.7, 10.0.0.2'), '198.51.100.7');
  assert.equal(seen(trust, '::ffff:10.0.0.1', '198.51.100.7'), '198.51.100.7');
  assert.equal(seen(trust, '2001:db8::5', '6.6.6.6,2001:db9::7, 192.0.2.9'), '2001:db9::7');
  // The header of a client that bypasses the proxy is ignored.
  assert.equal(seen(trust, '203.0.113.5', '198.51.100.7'), '203.0.113.5');
  assert.equal(seen(trust, '10.0.0.1', '10.0.0.3, 10.0.0.2'), '10.0.0.3');
});

test('ports and brackets are removed, and an entry that is not an address is not used', () => {
  assert.equal(seen('1', '10.0.0.1', '198.51.100.7:5123'), '198.51.100.7');
  assert.equal(seen('1', '10.0.0.1', '[2001:db8::7]:443'), '2001:db8::7');
  assert.equal(seen('1', '10.0.0.1', 'unknown'), '10.0.0.1');
  assert.equal(seen('1', '10.0.0.1', '198.51.100.7, '), '10.0.0.1');
});

test('a header that is ignored is logged once', () => {
  const lines: string[] = [];
  const log = { warn: (line: string) => lines.push(line) } as unknown as Logger;
  const address = createClientAddress(parseTrustedProxies('0'), log);
  for (let i = 0; i < 3; i++) address(request('192.0.2.1', '6.6.6.6'));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /TRUST_PROXY/);
  assert.doesNotMatch(lines[0] ?? '', /6\.6\.6\.6/);
});

test('a value that trusts everybody, or is neither a number nor addresses, prevents the start', () => {
  for (const text of [
    'true',
    'TRUE',
    '0.0.0.0/0',
    '10.0.0.1, ::/0',
    '33',
    '-1',
    'nginx',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.1,,10.0.0.2',
  ]) {
    assert.throws(() => parseTrustedProxies(text), /^Error: configuration: TRUST_PROXY /, text);
  }
});
