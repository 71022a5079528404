import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../errors.ts';
import { pageOf, readPaging } from './paging.ts';

const refused = (ask: () => unknown) => assert.throws(ask, (error) => codeOf(error) === 'INVALID_ARGUMENT');
const cursorAfter = (updatedAt: number, id: number): string =>
  pageOf('conversations', [0, 1], 1, () => [updatedAt, id]).nextCursor ?? '';
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a page that is not the last has a cursor, which is the position of its last row', () => {
  const page = pageOf('conversations', ['a', 'b', 'c'], 2, (row) => [row === 'b' ? 7 : 0, 3]);
  assert.deepEqual([page.rows, page.hasMore], [['a', 'b'], true]);
  assert.match(page.nextCursor ?? '', /^[\w-]+$/);
  assert.deepEqual(readPaging('conversations', { cursor: page.nextCursor }), {
    limit: 50,
    offset: 0,
    after: [7, 3],
  });
  const session = pageOf('sessions', [1, 2], 1, () => [5, '0b3c']);
  assert.deepEqual(readPaging('sessions', { cursor: session.nextCursor }).after, [5, '0b3c']);
});

test('the last page has no cursor', () => {
  assert.deepEqual(
    pageOf('friends', [1, 2], 2, (row) => [row]),
    { rows: [1, 2], hasMore: false, nextCursor: undefined },
  );
  assert.deepEqual(
    pageOf('friends', [], 2, () => [0]),
    { rows: [], hasMore: false, nextCursor: undefined },
  );
});

test('only a cursor from an answer of the same list is valid, and only in its exact spelling', () => {
  const good = cursorAfter(7, 3);
  assert.deepEqual(readPaging('conversations', { cursor: good }).after, [7, 3]);
  for (const bad of [
    '',
    'x',
    `${good}=`,
    `${good}A`,
    good.slice(0, -1),
    encode('conversations'),
    encode(null),
    encode({ 0: 'conversations' }),
    encode([]),
    encode(['conversations', 7]),
    encode(['conversations', 7, 3, 1]),
    encode(['conversations', '7', 3]),
    encode(['conversations', 7.5, 3]),
    encode(['conversations', -7, 3]),
    encode(['conversations', 2 ** 53, 3]),
    encode(['conversations', null, 3]),
    encode(['blocks', 7, 3]),
    Buffer.from('["conversations", 7, 3]').toString('base64url'),
    Buffer.from('["conversations",7e0,3]').toString('base64url'),
    '['.repeat(100_000),
  ]) {
    refused(() => readPaging('conversations', { cursor: bad }));
  }
  refused(() => readPaging('sessions', { cursor: encode(['sessions', 1, 'x'.repeat(65)]) }));
  refused(() => readPaging('sessions', { cursor: encode(['sessions', 1, '\ud800']) }));
});

test('a page begins at an offset or after a cursor, not at both', () => {
  assert.deepEqual(readPaging('friends', { limit: 0, offset: 3 }), {
    limit: 50,
    offset: 3,
    after: undefined,
  });
  refused(() => readPaging('conversations', { offset: 3, cursor: cursorAfter(7, 3) }));
  refused(() => readPaging('friends', { offset: -1 }));
  refused(() => readPaging('friends', { limit: 201 }));
  refused(() => readPaging('friends', { limit: -1 }));
  assert.equal(readPaging('friends', { limit: 1000 }, 1000).limit, 1000);
});
