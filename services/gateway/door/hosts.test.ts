import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MisdirectedError, parseHosts } from './hosts.ts';

test('names are compared without port and case', () => {
  const hosts = parseHosts('chat.example.com, Other.example:8443,[::1]');
  for (const host of [
    'chat.example.com',
    'CHAT.example.com:8080',
    'other.example',
    'chat.example.com.',
    '[::1]:8080',
  ]) {
    assert.doesNotThrow(() => hosts.check(host), host);
  }
  for (const host of [
    'evil.example',
    'chat.example.com.evil.example',
    'a@chat.example.com',
    '127.0.0.1',
    '',
    undefined,
  ]) {
    assert.throws(() => hosts.check(host), MisdirectedError, host);
  }
});

test('without a list, every host name is answered', () => {
  assert.doesNotThrow(() => parseHosts('').check('anything.example'));
  assert.doesNotThrow(() => parseHosts(' , ').check(undefined));
});

test('an entry that is not a host prevents the start', () => {
  for (const text of ['https://chat.example', 'chat.example/path', '*.example', 'a b']) {
    assert.throws(() => parseHosts(text), /^Error: configuration: ALLOWED_HOSTS /, text);
  }
});
