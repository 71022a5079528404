import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { GoChatError } from '../../../../lib/errors.ts';
import type { SaveMessagesRequest } from '../../../../lib/gen/im_repo/v1/message.ts';
import { followTail, type Tail } from '../../../../lib/kafka/tail.ts';
import { topics } from '../../../../lib/kafka/topics.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import type { DeadRecord, MessagesStored } from '../../../../lib/records/records.ts';
import { eventually } from '../../../support/eventually.ts';
import { createMemoryMessages } from '../../../support/logic/memory-messages.ts';
import {
  createUpstreamSystem as createSystem,
  kafka,
  numbers,
} from '../../../support/logic/upstream-system.ts';
import { recordsOf } from '../../../support/topic-records.ts';

test('messages of many partitions reach their gateway in the order of each conversation, with acks', async (t) => {
  const system = await createSystem();
  t.after(system.close);
  const memory = createMemoryMessages({ gateways: system.gateways });
  await system.start(memory);
  await system.append(numbers(300).map((number) => system.message(String(1 + (number % 5)), number)));
  await eventually(() => system.acks().length === 300);
  for (const conversation of ['1', '2', '3', '4', '5']) {
    const own = system.messages().filter((one) => one.conversation_id === conversation);
    assert.deepEqual(
      own.map((one) => one.seq_id),
      numbers(60),
    );
    assert.ok(own.every((one) => one.target_user_ids?.length === 2));
  }
  assert.ok(system.acks().every((ack) => !ack.duplicate && !ack.error));
  assert.ok(memory.calls.length < 50, `${memory.calls.length} saves for 300 messages are no batches`);
});

test('what a batch stored is told in one record, and a redelivery tells it again', async (t) => {
  const system = await createSystem();
  t.after(system.close);
  // Other tests use the topic, too.
  const first = String(Date.now() * 2);
  const second = String(Date.now() * 2 + 1);
  const seqsTold = async (id: string): Promise<number[]> =>
    (await recordsOf<MessagesStored>(topics.messagesStored))
      .flatMap(({ conversations }) => conversations)
      .filter(({ conversation_id }) => conversation_id === id)
      .flatMap(({ first_seq_id, last_seq_id }) => numbers(last_seq_id).slice(first_seq_id - 1))
      .sort();
  const memory = createMemoryMessages({ gateways: system.gateways });
  await system.append([
    system.message(first, 1),
    system.message(second, 2),
    system.message(first, 3),
    system.message(first, 4, { client_msg_id: 'id-1' }),
  ]);
  const losing = await system.start(memory, createMetrics('logic'), (producing) => ({
    ...producing,
    async produce(delivery) {
      throw new Error(`stored, and told to nobody: ${delivery.stored?.value}`);
    },
  }));
  await eventually(() => memory.stored() === 3);
  await losing.stop();
  assert.deepEqual([await seqsTold(first), await seqsTold(second)], [[], []]);
  await system.start(memory);
  await eventually(() => system.acks().length === 4);
  assert.deepEqual([await seqsTold(first), await seqsTold(second)], [[1, 2], [1]]);
});

test('an event keeps its place between the messages before and after it', async (t) => {
  const system = await createSystem();
  t.after(system.close);
  await system.start(createMemoryMessages({ gateways: system.gateways }));
  const event = { event_id: 'e', conversation_id: '9', frame: 'member-added', data: {}, extra_user_ids: [] };
  await system.append([system.message('9', 1), { event }, system.message('9', 2)]);
  await eventually(() => system.messages().length === 2);
  const order = system.received.flatMap((record) => [
    ...record.messages.map((message) => message.seq_id),
    ...record.events.map(({ frame }) => frame),
  ]);
  assert.deepEqual(order, [1, 'member-added', 2]);
});

test('a malformed record becomes a dead letter, and the others are handled', async (t) => {
  const system = await createSystem();
  const dead = await followDead(system.topic);
  t.after(async () => {
    await dead.stop();
    await system.close();
  });
  await system.start(createMemoryMessages({ gateways: system.gateways }));
  await system.append([
    'not json',
    system.message('9', 1),
    '{"user_id":1}',
    '[]',
    system.message('9', 2, { content: '' }),
  ]);
  await eventually(() => system.acks().length === 2 && dead.records.length === 3);
  assert.deepEqual(dead.records.map(({ record }) => record).sort(), ['[]', 'not json', '{"user_id":1}']);
  const [refused] = system.acks().filter(({ error }) => error);
  assert.equal(refused?.error?.code, 'INVALID_ARGUMENT');
  assert.equal(refused?.client_msg_id, 'id-2');
});

test('a message that the store refuses is isolated and becomes a dead letter, and its sender gets an error', async (t) => {
  const system = await createSystem();
  const dead = await followDead(system.topic);
  t.after(async () => {
    await dead.stop();
    await system.close();
  });
  const poisoned = (request: SaveMessagesRequest) =>
    request.messages.some(({ content }) => content === 'poison')
      ? new GoChatError('INVALID_ARGUMENT', 'This cannot be stored.')
      : undefined;
  const metrics = createMetrics('logic');
  const memory = createMemoryMessages({ gateways: system.gateways, fault: poisoned });
  // All is there before the first fetch, so that the poison is in a batch with the others.
  await system.append(
    numbers(40).map((number) => system.message('9', number, number === 17 ? { content: 'poison' } : {})),
  );
  await system.start(memory, metrics);
  await eventually(() => system.acks().length === 40);
  assert.deepEqual(
    system.messages().map((one) => one.client_msg_id),
    numbers(40)
      .filter((number) => number !== 17)
      .map((number) => `id-${number}`),
  );
  const refused = system.acks().filter(({ error }) => error);
  assert.deepEqual(
    refused.map((ack) => [ack.client_msg_id, ack.error?.code]),
    [['id-17', 'INTERNAL_ERROR']],
  );
  await eventually(() => dead.records.length === 1);
  const [buried] = dead.records;
  assert.equal(buried?.key, '9');
  assert.equal(JSON.parse(buried.record).content, 'poison');
  assert.equal(Buffer.from(buried.record_base64, 'base64').toString(), buried.record);
  const text = await metrics.registry.metrics();
  assert.match(text, /^gochat_message_send_total 40$/m);
  assert.match(text, /^gochat_message_send_failures_total 1$/m);
  assert.match(text, /^gochat_consumer_records_total\{topic="[^"]+",result="dead"\} 1$/m);
});

test('while the store is down, no message is lost or stored twice', async (t) => {
  const system = await createSystem();
  t.after(system.close);
  let away = true;
  const memory = createMemoryMessages({
    gateways: system.gateways,
    fault: () => (away ? new GoChatError('UNAVAILABLE', 'away') : undefined),
  });
  await system.start(memory);
  await system.append(numbers(20).map((number) => system.message('9', number)));
  await eventually(() => memory.calls.length >= 3);
  assert.equal(system.acks().length, 0);
  away = false;
  await eventually(() => system.acks().length === 20);
  assert.equal(memory.stored(), 20);
  assert.deepEqual(
    system.messages().map((one) => one.seq_id),
    numbers(20),
  );
});

test('after ten seconds the senders get an error, and the message is stored once when the store is back', async (t) => {
  const system = await createSystem();
  t.after(system.close);
  let away = true;
  const memory = createMemoryMessages({
    gateways: system.gateways,
    fault: () => (away ? new GoChatError('UNAVAILABLE', 'away') : undefined),
  });
  const metrics = createMetrics('logic');
  await system.start(memory, metrics);
  await system.append([system.message('9', 1)]);
  await eventually(() => system.acks().length === 1, 20_000);
  assert.equal(system.acks()[0]?.error?.code, 'INTERNAL_ERROR');
  const inHandFor = async () =>
    Number(/^gochat_consumer_stuck_seconds\{.+\} (.+)$/m.exec(await metrics.registry.metrics())?.[1]);
  const stuckSeconds = await inHandFor();
  // What a client does then: the same again.
  await system.append([system.message('9', 1)]);
  away = false;
  await eventually(() => system.acks().length === 3);
  assert.deepEqual(
    system.acks().map(({ seq_id, duplicate }) => [seq_id, duplicate]),
    [
      [0, false],
      [1, false],
      [1, true],
    ],
  );
  assert.equal(system.messages().length, 1);
  assert.ok(stuckSeconds >= 9, `nobody could see that logic was stuck: ${stuckSeconds}`);
  await eventually(async () => (await inHandFor()) === 0);
});

test('a second process takes over half of the partitions without loss or disorder', async (t) => {
  const system = await createSystem();
  t.after(system.close);
  const memory = createMemoryMessages({ gateways: system.gateways });
  await system.start(memory);
  let number = 0;
  let going = true;
  const writing = (async () => {
    while (going) {
      await system.append(numbers(8).map((conversation) => system.message(String(conversation), ++number)));
      await eventually(() => number - memory.stored() < 400);
    }
  })();
  await eventually(() => system.messages().length > 50);
  const second = await system.start(memory);
  const joined = memory.stored();
  await eventually(() => memory.stored() > joined + 100);
  await second.stop();
  const left = memory.stored();
  await eventually(() => memory.stored() > left + 100);
  going = false;
  await writing;
  await eventually(() => new Set(system.acks().map((ack) => ack.client_msg_id)).size === number);
  assert.equal(memory.stored(), number);
  for (const conversation of numbers(8).map(String)) {
    const seqs = system
      .messages()
      .filter((one) => one.conversation_id === conversation)
      .map((one) => one.seq_id);
    // Messages in flight during the hand-over may come again; the first occurrences are in order.
    const firsts = seqs.filter((seq, index) => seqs.indexOf(seq) === index);
    assert.deepEqual(firsts, numbers(firsts.length));
  }
});

test('messages delivered before a stop are not delivered again', async (t) => {
  const system = await createSystem();
  t.after(system.close);
  const memory = createMemoryMessages({ gateways: system.gateways });
  const first = await system.start(memory);
  await system.append(numbers(30).map((number) => system.message('9', number)));
  await eventually(() => system.acks().length > 0);
  await first.stop();
  await system.start(memory);
  await system.append([system.message('9', 31)]);
  await eventually(() => system.messages().some((one) => one.client_msg_id === 'id-31'));
  assert.deepEqual(
    system.messages().map((one) => one.seq_id),
    numbers(31),
  );
});

test('an acknowledgement for a stopped gateway delays nobody', async (t) => {
  const system = await createSystem();
  t.after(system.close);
  await system.start(createMemoryMessages({ gateways: system.gateways }));
  await system.append([
    system.message('9', 1, { gateway_id: `gone-${randomUUID()}` }),
    system.message('9', 2),
  ]);
  await eventually(() => system.messages().length === 2);
  assert.equal(system.acks().length, 1);
});

type Dead = DeadRecord & { key: string | undefined };

async function followDead(topic: string): Promise<Tail & { records: Dead[] }> {
  const records: Dead[] = [];
  const tail = await followTail(kafka, {
    topic: topics.dead,
    groupId: `tail-${randomUUID()}`,
    onRecord: (value, key) => {
      const record: Dead = { ...JSON.parse(value.toString('utf8')), key: key?.toString() };
      if (record.topic === topic) records.push(record);
    },
  });
  return { ...tail, records };
}
