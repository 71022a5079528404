import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachmentFault } from './attachment.ts';

const file = { url: 'https://files.example/a.png', name: 'a.png', size: 3, mime: 'image/png' };
const pathOf = (content: unknown) => attachmentFault(JSON.stringify(content))?.path;

test('a file with the required fields is valid, also with further fields', () => {
  assert.equal(pathOf(file), undefined);
  assert.equal(
    pathOf({ ...file, size: 0, mime: 'text/plain; charset=utf-8', name: 'résumé 📄.txt' }),
    undefined,
  );
  assert.equal(
    pathOf({ ...file, width: 1, height: 2, thumbnailUrl: 'http://files.example/t', id: 'x', more: {} }),
    undefined,
  );
});

test('a text that is not a JSON object is not a valid file', () => {
  for (const content of ['not json', '', '"text"', '[]', 'null', '5', '{"url":']) {
    assert.equal(attachmentFault(content)?.path, 'content', content);
  }
});

test('each field that is missing or wrong is named', () => {
  for (const field of Object.keys(file)) {
    assert.equal(pathOf({ ...file, [field]: undefined }), `content.${field}`);
    assert.equal(pathOf({ ...file, [field]: null }), `content.${field}`);
    assert.equal(pathOf({ ...file, [field]: [] }), `content.${field}`);
  }
  for (const size of [-1, 1.5, '3', 1e300]) assert.equal(pathOf({ ...file, size }), 'content.size');
  for (const width of [0, '1', -3]) assert.equal(pathOf({ ...file, width }), 'content.width');
  for (const mime of ['png', '/', 'image/', 'a b/c']) assert.equal(pathOf({ ...file, mime }), 'content.mime');
  for (const name of ['', 'a\nb', 'x'.repeat(256)]) assert.equal(pathOf({ ...file, name }), 'content.name');
});

test('nothing but http and https is an address, as it is written', () => {
  const wrong = [
    'javascript:alert(1)',
    'ht\ntps://files.example/a',
    ' https://files.example/a',
    'https://files.example/a b',
    'https://files.example/\u0000',
    'data:image/png;base64,AA',
    '//files.example/a',
    'https://',
    `https://files.example/${'x'.repeat(2048)}`,
  ];
  for (const url of wrong) {
    assert.equal(pathOf({ ...file, url }), 'content.url', url);
    assert.equal(pathOf({ ...file, thumbnailUrl: url }), 'content.thumbnailUrl', url);
  }
});
