import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createDownstreamWriter,
  type EventBody,
  encodeEvent,
  encodeMessage,
  eventTargets,
  everyone,
  maxRecordBytes,
  messageTargets,
} from './downstream-writer.ts';
import type { DownstreamAck, DownstreamRecord, MessageFacts } from './records.ts';

const body = (seqId: number, content = 'hello "you" \u2028 👋'): MessageFacts => ({
  message_id: 100 + seqId,
  conversation_id: '9',
  sender_info: { id: '7', username: 'seven', display_name: 'Seven', avatar_url: '' },
  message_type: 1,
  content,
  seq_id: seqId,
  client_msg_id: `m${seqId}`,
  created_at: 2000,
});

const event: EventBody = {
  event_id: 'e1',
  conversation_id: '9',
  frame: 'member-removed',
  data: { conversationId: '9', userIds: ['8'], by: '7' },
  last_seq_id: 4,
};

const ack: DownstreamAck = {
  session_id: 's',
  conversation_id: '9',
  client_msg_id: 'm1',
  message_id: 101,
  seq_id: 1,
  created_at: 2000,
  duplicate: false,
};

const route = { receiverId: 'g1', bootId: 'boot "1"' };
const other = { receiverId: 'g2', bootId: 'boot-2' };

const read = (writer: ReturnType<typeof createDownstreamWriter>) =>
  writer.records().map(({ receiverId, value }) => ({
    receiverId,
    record: JSON.parse(value) as DownstreamRecord,
  }));

test('a record has the messages written into it, their targets, and the boot id of the receiver', () => {
  const writer = createDownstreamWriter();
  const message = encodeMessage(body(1));
  writer.message(route, '9', messageTargets(['7', '8'], ['8']), message, ['7']);
  writer.message(route, '9', messageTargets(['7'], []), message);
  writer.message(other, '9', everyone, message, []);
  writer.ack(route, ack);
  writer.event(route, '9', eventTargets(['8'], []), encodeEvent(event));
  assert.deepEqual(read(writer), [
    {
      receiverId: 'g1',
      record: {
        gateway_boot_id: 'boot "1"',
        messages: [
          { target_user_ids: ['7', '8'], newcomer_ids: ['8'], read_for: ['7'], ...body(1) },
          { target_user_id: '7', ...body(1) },
        ],
        acks: [ack],
        events: [{ target_user_ids: ['8'], ...event }],
      },
    },
    {
      receiverId: 'g2',
      record: {
        gateway_boot_id: 'boot-2',
        messages: [{ broadcast: true, ...body(1) }],
        acks: [],
        events: [],
      },
    },
  ]);
});

test('a message after an event of its conversation goes into the next record, because events come last in a record', () => {
  const writer = createDownstreamWriter();
  const targets = messageTargets(['7'], []);
  writer.event(route, '9', targets, encodeEvent(event));
  writer.message(route, '10', targets, encodeMessage({ ...body(1), conversation_id: '10' }));
  writer.message(route, '9', targets, encodeMessage(body(5)));
  assert.deepEqual(
    read(writer).map(({ record }) => [record.messages.map(({ seq_id }) => seq_id), record.events.length]),
    [
      [[1], 1],
      [[5], 0],
    ],
  );
});

test('a record is full before the broker refuses it, however many bytes a character takes', () => {
  const writer = createDownstreamWriter();
  const targets = messageTargets(['7'], []);
  for (let seqId = 1; seqId <= 400; seqId += 1) {
    writer.message(route, '9', targets, encodeMessage(body(seqId, 'ü'.repeat(3000))));
  }
  const records = writer.records();
  assert.ok(records.length > 2);
  for (const { value, bytes } of records) {
    assert.ok(Buffer.byteLength(value) <= bytes && bytes <= maxRecordBytes, String(bytes));
  }
  assert.deepEqual(
    records.flatMap(({ value }) =>
      (JSON.parse(value) as DownstreamRecord).messages.map(({ seq_id }) => seq_id),
    ),
    Array.from({ length: 400 }, (_, index) => index + 1),
  );
});
