import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrameReader, readFrame, readStamp, stampedContent } from './frames.ts';

const frame = (value: unknown) => readFrame(Buffer.from(JSON.stringify(value)).toString('latin1'));
const stamp = { phase: 3, sentAt: 1_234_567_890_123 };

test('a delivered message is read whatever the order of its fields', () => {
  const data = {
    replyToSeqId: 7,
    seqId: 4_711,
    content: stampedContent(stamp, 200),
    sender: { id: '5', username: 'ann', displayName: 'Änn' },
    conversationId: '99',
  };
  const read = { type: 'new-message', conversationId: '99', seq: 4_711, stamp };
  assert.deepEqual(frame({ type: 'new-message', data }), read);
  assert.deepEqual(frame({ timestamp: 1, data, type: 'new-message' }), read);
});

test('content has the wanted length and gives its stamp back', () => {
  const content = stampedContent(stamp, 200);
  assert.equal(content.length, 200);
  assert.deepEqual(readStamp(content), stamp);
  assert.equal(readStamp('hello'), undefined);
});

test('a message that is not ours has no stamp', () => {
  const read = frame({ type: 'new-message', data: { conversationId: '1', seqId: 2, content: 'hello' } });
  assert.deepEqual(read, { type: 'new-message', conversationId: '1', seq: 2, stamp: undefined });
});

test('acknowledgements and errors name the send that they answer', () => {
  assert.deepEqual(
    frame({
      type: 'message-ack',
      data: {
        clientMsgId: 'a-1',
        conversationId: '9',
        messageId: 8,
        seqId: 12,
        createdAt: 1,
        duplicate: true,
      },
    }),
    { type: 'message-ack', clientMsgId: 'a-1', conversationId: '9', seq: 12, duplicate: true },
  );
  assert.deepEqual(
    frame({ type: 'error', data: { code: 'UNAVAILABLE', message: 'x', clientMsgId: 'a-1' } }),
    {
      type: 'error',
      clientMsgId: 'a-1',
      code: 'UNAVAILABLE',
    },
  );
});

test('similar frames are told apart at any position in the bytes', () => {
  const read = createFrameReader();
  const message = (id: number, seqId: number, content: string) =>
    JSON.stringify({ type: 'new-message', data: { id, conversationId: '7', seqId, content } });
  const texts = [1, 2, 3].flatMap((seq) => [
    message(375_000_000_000_000 + seq, seq, 'a'),
    message(375_000_000_000_000 + 4096 * seq, seq + 1000, 'b'),
    message(375_000_000_000_000 + seq, seq, 'x'.repeat(3000)),
  ]);
  for (const gap of [0, 3, 0]) {
    for (const text of texts) {
      const bytes = Buffer.from(`${'-'.repeat(gap)}${text}--`);
      assert.deepEqual(read(bytes, gap, gap + text.length), readFrame(text));
    }
  }
});
