import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalFileName, fileIdText, filePath, parseFileId, parseFilePath } from './addresses.ts';

const file = { ownerId: 7301444403200002, number: 7301444403200077 };

test('the address of a file is read with and without a signature', () => {
  const address = { file, variant: 'file' } as const;
  assert.equal(filePath(address), '/files/7301444403200002-7301444403200077');
  assert.deepEqual(parseFilePath(filePath(address)), address);
  assert.deepEqual(parseFilePath(`${filePath(address)}?e=1&s=abc`), address);
  assert.deepEqual(parseFileId(fileIdText(file)), file);
});

test('a thumbnail has an address of its own', () => {
  const address = { file, variant: 'thumbnail' } as const;
  assert.equal(filePath(address), '/files/7301444403200002-7301444403200077-thumbnail');
  assert.deepEqual(parseFilePath(filePath(address)), address);
  assert.equal(parseFileId('1-2-thumbnail'), undefined);
});

test('nothing else is the address of a file', () => {
  for (const text of [
    '/files/',
    '/files/1',
    '/files/1-2-3',
    '/files/1-2/../3-4',
    '/files/01-2',
    '/files/1-2#a',
    '/files/1-2-thumbnail-thumbnail',
    'files/1-2',
    '//files/1-2',
    'https://chat.example/files/1-2',
  ]) {
    assert.equal(parseFilePath(text), undefined, text);
  }
});

test('a name has no folders, control characters or turned text, and is never empty', () => {
  assert.equal(canonicalFileName('holiday 2026.png'), 'holiday 2026.png');
  assert.equal(canonicalFileName('../../etc/passwd'), 'passwd');
  assert.equal(canonicalFileName('C:\\Users\\ann\\photo.jpg'), 'photo.jpg');
  assert.equal(canonicalFileName('a\0b\r\nc\u202Egnp.exe'), 'abcgnp.exe');
  for (const text of ['', '..', '.', 'a/', ' \t', '/']) assert.equal(canonicalFileName(text), 'file', text);
  assert.equal(canonicalFileName('é'.repeat(300)).length, 255);
  assert.ok(canonicalFileName(`${'a'.repeat(254)}😀`).isWellFormed());
});
