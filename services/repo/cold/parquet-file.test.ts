import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ArchivedMessage } from './archived-message.ts';
import { messagesPerRowGroup, readRowGroup, writeParquet } from './parquet-file.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const flag = fc.constantFrom(0, 1);

const anyMessage: fc.Arbitrary<ArchivedMessage> = fc.record(
  {
    conversation_id: number,
    seq_id: number,
    id: number,
    sender_id: number,
    message_type: fc.integer({ min: 1, max: 4 }),
    content: text,
    client_msg_id: text.map((name) => Buffer.from(name)),
    deleted: flag,
    extra: fc.option(fc.json({ maxDepth: 1 })),
    created_at: number,
    change_seq: number,
    edited_at: fc.option(number),
    pinned: flag,
    reactions: fc.option(fc.json({ maxDepth: 1 })),
    source_partition: fc.integer({ min: -2, max: 100 }),
    source_offset: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  },
  { noNullPrototype: true },
);

test('messages are read from a file as they were written', () =>
  fc.assert(
    fc.asyncProperty(fc.array(anyMessage, { minLength: 1, maxLength: 30 }), async (rows) => {
      const { bytes, rowGroups } = writeParquet(rows);
      const [group] = rowGroups;
      assert.ok(group);
      const part = bytes.subarray(group.byteStart, group.byteStart + group.byteLength);
      assert.deepEqual(await readRowGroup(part, group), rows);
    }),
    { numRuns: 50 },
  ));

const row = (n: number): ArchivedMessage => ({
  conversation_id: 7,
  seq_id: n + 1,
  id: 300_000_000_000_000 + n * 4097,
  sender_id: 5 + (n % 3),
  message_type: 1,
  content: `line ${n}`,
  client_msg_id: Buffer.from(`id-${n}`),
  deleted: 0,
  extra: null,
  created_at: 1_700_000_000_000 + n * 1000,
  change_seq: 0,
  edited_at: null,
  pinned: 0,
  reactions: null,
  source_partition: 3,
  source_offset: n,
});

test('each row group is read by its own bytes alone, and the same messages make the same file', async () => {
  const rows = Array.from({ length: 2 * messagesPerRowGroup + 10 }, (_, n) => row(n));
  const { bytes, rowGroups } = writeParquet(rows);
  assert.deepEqual(
    rowGroups.map(({ messages }) => messages),
    [messagesPerRowGroup, messagesPerRowGroup, 10],
  );
  const read = await Promise.all(
    rowGroups.map((group) =>
      readRowGroup(
        Uint8Array.from(bytes.subarray(group.byteStart, group.byteStart + group.byteLength)),
        group,
      ),
    ),
  );
  assert.deepEqual(read.flat(), rows);
  assert.ok(writeParquet(rows).bytes.equals(bytes));
  assert.ok(bytes.length / rows.length < 20, 'what repeats costs next to nothing');
});
