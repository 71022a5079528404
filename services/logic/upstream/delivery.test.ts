import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../../lib/gen/im_repo/v1/error_code.ts';
import type { Recipients } from '../../../lib/gen/im_repo/v1/message.ts';
import { maxRecordBytes } from '../../../lib/records/downstream-writer.ts';
import type { DownstreamRecord, OrderedFrame, UpstreamMessage } from '../../../lib/records/records.ts';
import { buildDelivery, type Delivery } from './delivery.ts';
import type { Item } from './item.ts';
import type { Done } from './save.ts';

const item: Item = {
  partition: 3,
  offset: 12,
  claim: 1,
  bytes: 1,
  queuedAt: 0,
  key: null,
  value: null,
  notified: false,
  content: { kind: 'malformed', reason: '' },
};

const upstream = (more: Partial<UpstreamMessage> = {}): UpstreamMessage => ({
  user_id: '7',
  conversation_id: '9',
  message_type: 1,
  content: 'hello',
  client_msg_id: 'id',
  timestamp: 1000,
  gateway_id: 'g1',
  gateway_boot_id: 'b1',
  session_id: 's1',
  ...more,
});

const recipients = (more: Partial<Recipients> = {}): Recipients => ({
  conversationId: '9',
  fanout: false,
  broadcast: false,
  gateways: [
    { gatewayId: 'g1', bootId: 'b1', userIds: ['7', '8'], pushAddress: '' },
    { gatewayId: 'g2', bootId: 'b2', userIds: ['9'], pushAddress: '' },
  ],
  memberVersion: 1,
  newcomerIds: [],
  ...more,
});

const saved = (
  seqId: number,
  more: {
    message?: Partial<UpstreamMessage>;
    duplicate?: boolean;
    undelivered?: boolean;
    direct?: boolean;
    readFor?: string[];
    recipients?: Recipients;
  } = {},
): Done => ({
  kind: 'saved',
  item,
  message: upstream(more.message),
  saved: {
    error: ErrorCode.ERROR_CODE_UNSPECIFIED,
    errorMessage: '',
    messageId: 100 + seqId,
    seqId,
    createdAt: 2000,
    duplicate: more.duplicate ?? false,
    direct: more.direct ?? false,
    readFor: more.readFor ?? [],
    undelivered: more.undelivered,
  },
  sender: {
    id: '7',
    username: 'seven',
    displayName: 'Seven',
    avatarUrl: '',
    isGuest: false,
    createdAt: 0,
  },
  recipients: more.recipients ?? recipients(),
});

const event = (more: Partial<Omit<OrderedFrame, 'frame'>> & { frame?: string } = {}): Done => ({
  kind: 'event',
  item,
  event: {
    event_id: 'e1',
    conversation_id: '9',
    frame: 'member-removed',
    data: { by: '7' },
    extra_user_ids: [],
    ...more,
  } as OrderedFrame,
  recipients: recipients(),
});

const recordsOf = (delivery: Delivery, receiverId: string): DownstreamRecord[] =>
  delivery.records.filter((record) => record.receiverId === receiverId).map(({ value }) => JSON.parse(value));

test('the users who get a read receipt for a sent message are in the message’s record for their gateway', () => {
  const delivery = buildDelivery([saved(1, { readFor: ['8', '9', '1'] }), saved(2)], 'up');
  const told = ['g1', 'g2'].map((id) => recordsOf(delivery, id)[0]?.messages.map(({ read_for }) => read_for));
  assert.deepEqual(told, [
    [['8'], undefined],
    [['9'], undefined],
  ]);
});

test('a batch makes one record per gateway, with its targets and the acks of its senders', () => {
  const delivery = buildDelivery([saved(1), saved(2)], 'up');
  assert.equal(delivery.records.length, 2);
  const [first] = recordsOf(delivery, 'g1');
  assert.equal(first?.gateway_boot_id, 'b1');
  assert.deepEqual(first?.messages[0], {
    target_user_ids: ['7', '8'],
    message_id: 101,
    conversation_id: '9',
    sender_info: { id: '7', username: 'seven', display_name: 'Seven', avatar_url: '' },
    message_type: 1,
    content: 'hello',
    seq_id: 1,
    client_msg_id: 'id',
    created_at: 2000,
  });
  assert.deepEqual(
    first?.acks.map(({ seq_id, duplicate }) => [seq_id, duplicate]),
    [
      [1, false],
      [2, false],
    ],
  );
  const [second] = recordsOf(delivery, 'g2');
  assert.equal(second?.messages[0]?.target_user_id, '9');
  assert.deepEqual(second?.acks, []);
  assert.deepEqual(delivery.receivedAt, [1000, 1000]);
});

test('a retry is acknowledged and delivered to nobody', () => {
  const delivery = buildDelivery([saved(1, { duplicate: true })], 'up');
  const [record] = recordsOf(delivery, 'g1');
  assert.equal(record?.acks[0]?.duplicate, true);
  assert.deepEqual(record?.messages, []);
  assert.deepEqual(recordsOf(delivery, 'g2'), []);
});

test('a retry of a message that was stored after its refusal is told and delivered, and acknowledged as a duplicate', () => {
  const delivery = buildDelivery([saved(1, { duplicate: true, undelivered: true })], 'up');
  const [record] = recordsOf(delivery, 'g1');
  assert.equal(record?.acks[0]?.duplicate, true);
  assert.deepEqual(
    ['g1', 'g2'].map((id) => recordsOf(delivery, id)[0]?.messages.map(({ seq_id }) => seq_id)),
    [[1], [1]],
  );
  assert.deepEqual(JSON.parse(delivery.stored?.value ?? '{}').conversations, [
    { conversation_id: '9', first_seq_id: 1, last_seq_id: 1 },
  ]);
});

test('the record of what was stored names new and redelivered messages, not retries, refusals or events', () => {
  const refused: Done = { kind: 'refused', item, message: upstream(), code: 'BLOCKED', text: 'Blocked.' };
  const outcomes = [saved(1), saved(2), refused, event(), saved(1, { duplicate: true }), saved(7)];
  const record = JSON.parse(buildDelivery(outcomes, 'up').stored?.value ?? '{}');
  assert.deepEqual(record.conversations, [
    { conversation_id: '9', first_seq_id: 1, last_seq_id: 2 },
    { conversation_id: '9', first_seq_id: 7, last_seq_id: 7 },
  ]);
  assert.equal(buildDelivery([refused, event()], 'up').stored, undefined);
});

test('a refusal is sent to its sender only', () => {
  const refused: Done = { kind: 'refused', item, message: upstream(), code: 'BLOCKED', text: 'Blocked.' };
  const delivery = buildDelivery([refused], 'up');
  assert.equal(delivery.records.length, 1);
  assert.deepEqual(recordsOf(delivery, 'g1')[0]?.acks[0]?.error, { code: 'BLOCKED', message: 'Blocked.' });
});

test('a large conversation becomes a task, and its sender is acknowledged at once', () => {
  const large = recipients({ fanout: true, gateways: [] });
  const delivery = buildDelivery([saved(1, { recipients: large }), saved(2, { recipients: large })], 'up');
  assert.deepEqual(
    delivery.tasks.map((task) => [task.first_seq_id, task.last_seq_id]),
    [[1, 2]],
  );
  assert.deepEqual(recordsOf(delivery, 'g1')[0]?.messages, []);
  assert.equal(recordsOf(delivery, 'g1')[0]?.acks.length, 2);
});

test('messages stored before the conversation became large are delivered directly, later ones by a task', () => {
  const userIds = Array.from({ length: 100_000 }, (_, index) => String(1_000_000_000_000 + index));
  const grown = recipients({
    fanout: true,
    gateways: [{ gatewayId: 'g2', bootId: 'b2', userIds, pushAddress: '' }],
  });
  const outcomes = [saved(1, { recipients: grown, direct: true }), saved(2, { recipients: grown })];
  const delivery = buildDelivery(outcomes, 'up');
  assert.deepEqual(
    delivery.tasks.map((task) => [task.first_seq_id, task.last_seq_id]),
    [[2, 2]],
  );
  assert.ok(delivery.records.every(({ value }) => Buffer.byteLength(value) <= maxRecordBytes));
  const messages = recordsOf(delivery, 'g2').flatMap((record) => record.messages);
  assert.deepEqual(new Set(messages.map(({ seq_id }) => seq_id)), new Set([1]));
  assert.deepEqual(
    messages.flatMap(({ target_user_ids }) => target_user_ids ?? []),
    userIds,
  );
});

test('a message sent by REST is acknowledged to the process that waits for it', () => {
  const delivery = buildDelivery([saved(1, { message: { gateway_id: 'l1', session_id: 'rest:4' } })], 'up');
  assert.deepEqual(recordsOf(delivery, 'g1')[0]?.acks, []);
  assert.equal(recordsOf(delivery, 'l1')[0]?.acks[0]?.session_id, 'rest:4');
});

test('an event comes after the messages before it and before those after it', () => {
  const delivery = buildDelivery([saved(1), event(), saved(2), event({ frame: 'last' })], 'up');
  for (const gateway of ['g1', 'g2']) {
    const order = recordsOf(delivery, gateway).flatMap((record) => [
      ...record.messages.map(({ seq_id }) => seq_id),
      ...record.events.map(({ frame }) => frame),
    ]);
    assert.deepEqual(order, [1, 'member-removed', 2, 'last']);
  }
});

test('a removal names the last message before it', () => {
  const delivery = buildDelivery([event({ last_seq_id: 4 })], 'up');
  assert.equal(recordsOf(delivery, 'g2')[0]?.events[0]?.last_seq_id, 4);
});

test('an event of another conversation needs no record of its own', () => {
  const delivery = buildDelivery([event({ conversation_id: '5' }), saved(1)], 'up');
  assert.equal(recordsOf(delivery, 'g1').length, 1);
});

test('records stay below the size that the broker takes, and keep their order', () => {
  const content = 'ü'.repeat(3000);
  const outcomes = Array.from({ length: 400 }, (_, index) => saved(index + 1, { message: { content } }));
  const delivery = buildDelivery(outcomes, 'up');
  const sizes = delivery.records.map(({ value }) => Buffer.byteLength(value));
  assert.ok(sizes.length > 2 && Math.max(...sizes) <= maxRecordBytes, String(sizes));
  assert.deepEqual(
    recordsOf(delivery, 'g1').flatMap((record) => record.messages.map(({ seq_id }) => seq_id)),
    outcomes.map((_, index) => index + 1),
  );
});

test('an event for more members than fit into a record is split over several', () => {
  const userIds = Array.from({ length: 100_000 }, (_, index) => String(1_000_000_000_000 + index));
  const outcome = event();
  if (outcome.kind === 'event') {
    outcome.recipients = recipients({
      gateways: [{ gatewayId: 'g1', bootId: 'b1', userIds, pushAddress: '' }],
    });
  }
  const records = buildDelivery([outcome], 'up').records;
  assert.ok(records.every(({ value }) => Buffer.byteLength(value) <= maxRecordBytes));
  const reached = records.flatMap(({ value }) =>
    (JSON.parse(value) as DownstreamRecord).events.flatMap(({ target_user_ids }) => target_user_ids ?? []),
  );
  assert.deepEqual(reached, userIds);
});

test('a dead letter names its origin, and its sender gets an error', () => {
  const record = { key: Buffer.from('9'), value: Buffer.from([0xff]) };
  const dead: Done = {
    kind: 'dead',
    item: { ...item, ...record },
    reason: 'no good',
    message: upstream(),
  };
  const delivery = buildDelivery([dead], 'up');
  const from = { topic: 'up', partition: 3, offset: '12', error: 'no good' };
  assert.deepEqual(
    delivery.dead.map(({ key, value }) => ({ key: String(key), ...JSON.parse(value) })),
    [{ key: '9', ...from, record: '\ufffd', record_base64: '/w==' }],
  );
  assert.equal(recordsOf(delivery, 'g1')[0]?.acks[0]?.error?.code, 'INTERNAL_ERROR');
});
