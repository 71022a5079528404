import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFilePath } from '../../../lib/domain/addresses.ts';
import { messageType } from '../../../lib/domain/enumerations.ts';
import { createFileLinks } from './file-links.ts';

const dayMs = 86_400_000;
const noon = 20_000 * dayMs + dayMs / 2;
const path = '/files/5-77';

const partsOf = (url: string) => {
  const { searchParams } = new URL(url, 'http://chat');
  return [Number(searchParams.get('e')), searchParams.get('s') ?? ''] as const;
};

test('a signed address is valid for its file only, for a day at least, and not for ever', () => {
  let now = noon;
  const links = createFileLinks({ secrets: ['secret'], now: () => now });
  const [expiresAtS, signature] = partsOf(links.picture(path));
  assert.ok(links.isSigned('5-77', expiresAtS, signature));
  assert.ok(!links.isSigned('5-78', expiresAtS, signature));
  assert.ok(!links.isSigned('5-77-thumbnail', expiresAtS, signature));
  assert.ok(!links.isSigned('5-77', expiresAtS + 1, signature));
  assert.ok(!links.isSigned('5-77', expiresAtS, ''));
  now = noon + dayMs;
  assert.ok(links.isSigned('5-77', expiresAtS, signature));
  now = noon + 2 * dayMs;
  assert.ok(!links.isSigned('5-77', expiresAtS, signature));
});

test('signatures of one day are the same, so that pages stay the same', () => {
  let now = noon;
  const links = createFileLinks({ secrets: ['secret'], now: () => now });
  const first = links.picture(path);
  const day = links.day();
  now += dayMs / 3;
  assert.deepEqual([links.picture(path), links.day()], [first, day]);
  now += dayMs;
  assert.notEqual(links.picture(path), first);
  assert.notEqual(links.day(), day);
});

test('only what refers to an uploaded file is signed', () => {
  const links = createFileLinks({ secrets: ['secret'], now: () => noon });
  assert.equal(links.picture(''), '');
  assert.equal(links.picture('https://pictures.example/files/1-2'), 'https://pictures.example/files/1-2');
  const text = `{"url":"${path}"}`;
  assert.equal(links.content(messageType.text, text), text, 'a text that looks like a file');
  const elsewhere = '{"url":"https://files.example/files/5-77","note":"/files/5-77"}';
  assert.equal(links.content(messageType.file, elsewhere), elsewhere);
  const content = JSON.parse(
    links.content(
      messageType.image,
      JSON.stringify({ url: path, name: 'a', thumbnailUrl: `${path}-thumbnail` }),
    ),
  );
  assert.ok(content.url.startsWith(`${path}?e=`));
  assert.ok(content.thumbnailUrl.startsWith(`${path}-thumbnail?e=`));
  assert.equal(content.name, 'a');
  assert.ok(parseFilePath(content.url));
});

test('a replaced secret still counts, another one does not', () => {
  const [expiresAtS, signature] = partsOf(
    createFileLinks({ secrets: ['old'], now: () => noon }).picture(path),
  );
  const isSigned = (...secrets: string[]) =>
    createFileLinks({ secrets, now: () => noon }).isSigned('5-77', expiresAtS, signature);
  assert.ok(isSigned('new', 'old'));
  assert.ok(!isSigned('new'));
});
