import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedAddress } from './client-address.ts';

test('an IPv4 address counts for itself, also where it is written as IPv6', () => {
  assert.equal(countedAddress('192.0.2.7'), '192.0.2.7');
  assert.equal(countedAddress('::ffff:192.0.2.7'), '192.0.2.7');
  assert.equal(countedAddress('::ffff:c000:207'), '192.0.2.7');
});

test('IPv6 addresses of one /64 count together, however they are written', () => {
  const expected = '2001:db8:0:1::/64';
  for (const address of [
    '2001:db8:0:1::1',
    '2001:0DB8:0:1:ffff::',
    '2001:db8::1:0:0:0:9',
    '2001:db8:0:1::9%eth0',
  ]) {
    assert.equal(countedAddress(address), expected, address);
  }
  assert.notEqual(countedAddress('2001:db8:0:2::1'), expected);
  assert.equal(countedAddress('::1'), '0:0:0:0::/64');
});

test('a text that is not an address is counted as it is', () => {
  for (const text of ['', 'unknown', '1:2', '::g']) assert.equal(countedAddress(text), text);
});
