import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushesTo } from './push.ts';

const eventId = 'e1';

test('a frame for more users than one push names goes out in several, each with the same data', () => {
  const userIds = Array.from({ length: 1001 }, (_, index) => String(index));
  const data = { conversationId: '9', userId: '7', seqId: 3 };
  const pushes = pushesTo(userIds, { type: 'message-read', data, eventId, excludeSessionId: 's1' });
  assert.deepEqual(
    pushes.map((push) => push.userIds.length),
    [500, 500, 1],
  );
  assert.deepEqual(
    pushes.flatMap((push) => push.userIds),
    userIds,
  );
  for (const { type, dataJson, excludeSessionId } of pushes) {
    assert.deepEqual([type, JSON.parse(dataJson), excludeSessionId], ['message-read', data, 's1']);
  }
});

test('a frame that is not in the table, or has other data than the table says, does not compile', () => {
  // @ts-expect-error: there is no such frame.
  assert.deepEqual(pushesTo([], { type: 'message-unread', data: {}, eventId }), []);
  // @ts-expect-error: seqId is missing.
  const unfinished = pushesTo([], {
    type: 'message-read',
    data: { conversationId: '9', userId: '7' },
    eventId,
  });
  assert.deepEqual(unfinished, []);
  // @ts-expect-error: the data is that of another frame.
  assert.deepEqual(pushesTo([], { type: 'typing-indicator', data: { request: {} }, eventId }), []);
});
