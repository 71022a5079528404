import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnOrigin, parseOrigins } from './origins.ts';

test('the listed origins are allowed in any spelling, no others', () => {
  const { kind, allows } = parseOrigins(
    'https://Chat.example.com:443 , http://localhost:3000,capacitor://localhost',
  );
  assert.equal(kind, 'listed');
  for (const origin of ['https://chat.example.com', 'http://localhost:3000', 'capacitor://localhost']) {
    assert.equal(allows(origin), true, origin);
  }
  const others = [
    'http://chat.example.com',
    'https://chat.example.com:8443',
    'https://chat.example.com.evil.example',
    'https://evil.example/https://chat.example.com',
    'http://localhost',
    'ionic://localhost',
    'null',
    '',
  ];
  for (const origin of others) assert.equal(allows(origin), false, origin);
  assert.equal(parseOrigins('').kind, 'none');
  assert.equal(parseOrigins('').allows('https://chat.example.com'), false);
  assert.equal(parseOrigins(' * ').allows('null'), true);
});

test('an entry that is not an origin prevents the start', () => {
  for (const text of [
    'chat.example.com',
    'https://a.example/path',
    'https://a.example/',
    '*,https://a.example',
    'https://*.example',
    'null',
    'https://u@a.example',
  ]) {
    assert.throws(() => parseOrigins(text), /^Error: configuration: ALLOWED_ORIGINS /, text);
  }
});

test('a page is the gateway’s own if its host is the requested host', () => {
  assert.equal(isOwnOrigin('http://127.0.0.1:8080', '127.0.0.1:8080'), true);
  assert.equal(isOwnOrigin('https://chat.example', 'chat.example'), true);
  assert.equal(isOwnOrigin('https://chat.example', 'Chat.example:443'), true);
  assert.equal(isOwnOrigin('https://chat.example:8443', 'chat.example'), false);
  assert.equal(isOwnOrigin('http://127.0.0.1:8080', '127.0.0.1:8081'), false);
  assert.equal(isOwnOrigin('null', 'chat.example'), false);
  assert.equal(isOwnOrigin('https://chat.example', undefined), false);
});
