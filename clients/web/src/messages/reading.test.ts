import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Member, ShownMessage } from '@gochat/sdk';
import { breakBefore, indexOfSeq, keyOf, readSeqOf, standingOf } from './reading.ts';

const at = (time: string) => new Date(time).getTime();

const message = (fields: Partial<ShownMessage>): ShownMessage => ({
  id: 1,
  conversationId: 'c',
  seqId: 1,
  sender: { id: 'ann', username: 'ann', displayName: 'Ann', avatarUrl: '' },
  messageType: 1,
  content: 'x',
  clientMsgId: 'm1',
  deleted: false,
  createdAt: at('2026-03-01T10:00:00'),
  changeSeq: 0,
  ...fields,
});

test('messages of one sender form a group until five minutes have passed, or another day begins', () => {
  const first = message({});
  const soon = message({ seqId: 2, createdAt: at('2026-03-01T10:04:00') });
  const late = message({ seqId: 2, createdAt: at('2026-03-01T10:06:00') });
  const midnight = message({ createdAt: at('2026-03-01T23:59:00') });
  const nextDay = message({ seqId: 2, createdAt: at('2026-03-02T00:00:30') });
  const other = message({ seqId: 2, sender: { ...first.sender, id: 'bob' } });
  assert.deepEqual(breakBefore(soon, first), { isNewDay: false, isNewGroup: false });
  assert.deepEqual(breakBefore(late, first), { isNewDay: false, isNewGroup: true });
  assert.deepEqual(breakBefore(nextDay, midnight), { isNewDay: true, isNewGroup: true });
  assert.deepEqual(breakBefore(other, first), { isNewDay: false, isNewGroup: true });
  assert.deepEqual(breakBefore(first, undefined), { isNewDay: true, isNewGroup: true });
});

test('a message keeps its key from the outbox on', () => {
  const waiting = message({ seqId: 0, status: 'queued' });
  assert.equal(keyOf(waiting, 'ann'), keyOf(message({ seqId: 7 }), 'ann'));
  assert.notEqual(keyOf(message({ seqId: 7 }), 'bob'), keyOf(message({ seqId: 8 }), 'bob'));
});

test('the index of a message follows from its number', () => {
  const messages = [4, 5, 6]
    .map((seqId) => message({ seqId }))
    .concat(message({ seqId: 0, status: 'queued' }));
  assert.deepEqual(
    [3, 4, 6, 7].map((seqId) => indexOfSeq(messages, seqId)),
    [-1, 0, 2, -1],
  );
  assert.equal(indexOfSeq([], 1), -1);
});

test('a message is read once somebody else has read it, in conversations that tell', () => {
  const conversation = { memberCount: 3 } as Parameters<typeof readSeqOf>[1];
  const reads = { ann: 9, bob: 4 };
  const members = [{ id: 'eve', lastReadSeqId: 5 } as Member];
  assert.equal(readSeqOf({ reads, members }, conversation, 'ann'), 5);
  assert.equal(
    readSeqOf({ reads, members }, { ...conversation, memberCount: 501 } as typeof conversation, 'ann'),
    0,
  );
  assert.equal(standingOf(message({ seqId: 5 }), 5), 'read');
  assert.equal(standingOf(message({ seqId: 6 }), 5), 'sent');
  assert.equal(standingOf(message({ seqId: 0, status: 'queued' }), 5), 'sending');
  assert.equal(standingOf(message({ seqId: 0, status: 'failed' }), 5), 'failed');
});
