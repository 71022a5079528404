import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalPictureAddress } from './addresses.ts';
import { canonicalName, isReservedUsername } from './names.ts';

test('a name is trimmed, and can be seen', () => {
  for (const name of ['Ann', 'Ann Lee', '李', '👩‍👩‍👧', 'a\u200bb', '...', 'e\u0301', 'محمد\u200f']) {
    assert.equal(canonicalName(`  ${name} `, 50), name);
  }
  const bad = ['', ' ', '\u200b', '\u3000', '\u2800', '\u3164', '\u0301', '\u200d\u200d', '\ufeff', '\u00ad'];
  for (const name of bad) assert.equal(canonicalName(name, 50), undefined, JSON.stringify(name));
});

test('a name has no control characters and turns no text around', () => {
  for (const sign of [
    '\u0000',
    '\n',
    '\t',
    '\u007f',
    '\u0085',
    '\u202e',
    '\u202a',
    '\u2066',
    '\u2028',
    '\ud800',
  ]) {
    for (const name of [`a${sign}b`, `a${sign}`, `${sign}a`]) {
      assert.equal(canonicalName(name, 50), undefined, JSON.stringify(name));
    }
  }
});

test('a name is counted in code points after trimming', () => {
  assert.equal(canonicalName(` ${'😀'.repeat(50)} `, 50), '😀'.repeat(50));
  assert.equal(canonicalName('😀'.repeat(51), 50), undefined);
});

test('reserved names cannot be used, in any case', () => {
  for (const name of ['admin', 'Root', 'GoChat', 'deleted-user', 'guest-abc', 'GUEST-']) {
    assert.ok(isReservedUsername(name), name);
  }
  for (const name of ['administrators', 'guest', 'ann', 'my-guest-1'])
    assert.ok(!isReservedUsername(name), name);
});

test('a picture’s address is stored as the URL standard spells it', () => {
  for (const [given, stored] of [
    ['', ''],
    ['https://example.com', 'https://example.com/'],
    ['HTTPS://EXAMPLE.com:443/a b'.replace(' ', '%20'), 'https://example.com/a%20b'],
    ['http://bücher.example/ü', 'http://xn--bcher-kva.example/%C3%BC'],
  ] as const) {
    assert.equal(canonicalPictureAddress(given), stored);
  }
  const bad = [
    'ht\ntps://a.example/x',
    '\u0000https://a.example/x',
    ' https://a.example/x',
    'https://a.example/x ',
    '\nSet-Cookie: x',
    'https://a.example/\tx',
    'javascript:alert(1)',
    'data:image/png;base64,AA',
    '//a.example/x',
    '/x',
    'https://',
    'https://user@a.example/x',
    'https://user:secret@a.example/x',
    'https://:secret@a.example/x',
    `https://a.example/${'x'.repeat(2048)}`,
    `https://a.example/${'ü'.repeat(400)}`,
  ];
  for (const address of bad) assert.equal(canonicalPictureAddress(address), undefined, address);
});
