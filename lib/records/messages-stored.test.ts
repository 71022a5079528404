import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storedRecord } from './messages-stored.ts';
import type { MessagesStored } from './records.ts';

const at = (conversationId: string, ...seqIds: number[]) =>
  seqIds.map((seqId) => ({ conversationId, seqId }));
const parsed = (record: ReturnType<typeof storedRecord>): MessagesStored => JSON.parse(record?.value ?? '{}');

test('a batch becomes one record with a range per run of consecutive seq ids', () => {
  const record = storedRecord([...at('7', 4), ...at('9', 1), ...at('7', 5, 6, 9)]);
  assert.deepEqual(parsed(record).conversations, [
    { conversation_id: '7', first_seq_id: 4, last_seq_id: 6 },
    { conversation_id: '9', first_seq_id: 1, last_seq_id: 1 },
    { conversation_id: '7', first_seq_id: 9, last_seq_id: 9 },
  ]);
  assert.equal(record?.key, null);
});

test('the record of one conversation has its id as the key', () => {
  assert.equal(storedRecord(at('7', 4, 6))?.key, '7');
});

test('the same messages have the same event id, others another one', () => {
  const ids = [at('7', 4, 5), at('7', 4, 5), at('7', 4), at('8', 4, 5)].map(
    (messages) => parsed(storedRecord(messages)).event_id,
  );
  assert.equal(ids[0], ids[1]);
  assert.equal(new Set(ids).size, 3);
});

test('without messages there is no record', () => {
  assert.equal(storedRecord([]), undefined);
});
