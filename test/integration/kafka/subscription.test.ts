import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, type TestContext, test } from 'node:test';
import { GoChatError } from '../../../lib/errors.ts';
import { connectKafka, type Producer, withAdmin } from '../../../lib/kafka/kafka.ts';
import { type ReceivedRecord, subscribe } from '../../../lib/kafka/subscription.ts';
import { followTail, type Tail } from '../../../lib/kafka/tail.ts';
import { ensureSharedTopics, ensureTopics, topics } from '../../../lib/kafka/topics.ts';
import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import type { DeadRecord } from '../../../lib/records/records.ts';
import { eventually } from '../../support/eventually.ts';

const log = createLogger('test', 'silent');
const kafka = connectKafka({ brokers: process.env.KAFKA_BROKERS ?? '127.0.0.1:9092', clientId: 'test', log });
let producer: Producer;
let deadLetters: Tail;
const dead: (DeadRecord & { key: string | undefined })[] = [];

before(async () => {
  await withAdmin(kafka, ensureSharedTopics);
  producer = kafka.producer();
  await producer.connect();
  deadLetters = await followTail(kafka, {
    topic: topics.dead,
    groupId: `tail-${randomUUID()}`,
    onRecord: (value, key) => dead.push({ ...JSON.parse(value.toString('utf8')), key: key?.toString() }),
  });
});

after(async () => {
  await deadLetters.stop();
  await producer.disconnect();
});

/** A topic of one partition, of this test only, with these records. */
async function createTopic(t: TestContext, values: (string | Buffer)[]) {
  const topic = `test.subscription.${randomUUID()}`;
  await withAdmin(kafka, (admin) =>
    ensureTopics(admin, [{ topic, numPartitions: 1, retentionMs: 3_600_000 }]),
  );
  t.after(() => withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic] })));
  // Of its own: a producer is of no use any more once a topic of its is deleted.
  const own = kafka.producer();
  await own.connect();
  t.after(() => own.disconnect());
  const append = (some: (string | Buffer)[]) =>
    own.send({ topic, acks: -1, messages: some.map((value) => ({ key: 'k', value })) });
  await append(values);
  const metrics = createMetrics('test');
  const stops: (() => Promise<void>)[] = [];
  t.after(() => Promise.all(stops.map((stop) => stop())));
  return {
    append,
    metrics,
    dead: () => dead.filter((record) => record.topic === topic),
    buried: () => dead.filter((record) => record.topic === topic).map(({ record }) => record),
    async start(handle: (values: unknown[]) => Promise<void>, more: { recordsAtOnce?: number } = {}) {
      const subscription = await subscribe(kafka, {
        groupId: `group-${topic}`,
        topics: [topic],
        producer,
        handle: (records: ReceivedRecord[]) => handle(records.map(({ value }) => value)),
        log,
        metrics,
        ...more,
      });
      stops.push(subscription.stop);
      return subscription;
    },
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test('a poison record becomes a dead letter; the other records are handled once, in order', async (t) => {
  const values = numbers(40).map((number) => (number === 11 ? 'no JSON' : JSON.stringify(number)));
  const topic = await createTopic(t, values);
  const handled: unknown[] = [];
  const subscription = await topic.start(async (batch) => {
    if (batch.some((value) => value === 17 || value === 33)) {
      throw new GoChatError('INVALID_ARGUMENT', 'This can be handled by nobody.');
    }
    handled.push(...batch);
  });
  await eventually(() => handled.length === 37 && topic.buried().length === 3);
  assert.deepEqual(
    handled,
    numbers(40).filter((number) => ![11, 17, 33].includes(number)),
  );
  assert.deepEqual(topic.buried().toSorted(), ['17', '33', 'no JSON']);
  await subscription.stop();
  const shown = await topic.metrics.registry.metrics();
  assert.match(shown, /^gochat_consumer_records_total\{topic="[^"]+",result="dead"\} 3$/m);
});

test('a long batch is handled in parts, and what was handled before a restart is not handled again', async (t) => {
  const topic = await createTopic(t, numbers(50).map(String));
  const parts: unknown[][] = [];
  const held = Promise.withResolvers<void>();
  const first = await topic.start(
    async (part) => {
      parts.push(part);
      if (parts.length === 3) await held.promise;
    },
    { recordsAtOnce: 20 },
  );
  await eventually(() => parts.length === 3);
  const stopped = first.stop();
  held.resolve();
  await stopped;
  assert.deepEqual(
    parts.map((part) => part.length),
    [20, 20, 10],
  );
  assert.deepEqual(parts.flat(), numbers(50));
  await topic.append(['51']);
  const again: unknown[] = [];
  await topic.start(async (part) => void again.push(...part), { recordsAtOnce: 20 });
  await eventually(() => again.includes(51));
  assert.deepEqual(again, [51]);
});

test('a dead letter keeps the record’s key and bytes unchanged', async (t) => {
  const values = [Buffer.from([0xff, 0x00]), Buffer.from('{ "a": 1.0 }')];
  const topic = await createTopic(t, values);
  const subscription = await topic.start(async () => {
    throw new GoChatError('INVALID_ARGUMENT', 'This can be handled by nobody.');
  });
  await eventually(() => topic.dead().length === 2);
  assert.deepEqual(
    topic.dead().map(({ key, record_base64 }) => [key, record_base64]),
    values.map((value) => ['k', value.toString('base64')]),
  );
  assert.deepEqual(topic.buried(), ['\ufffd\u0000', '{ "a": 1.0 }']);
  await subscription.stop();
});

test('a transient error is waited out: no record becomes a dead letter, and none is skipped', async (t) => {
  const topic = await createTopic(t, numbers(5).map(String));
  const failures = [
    new GoChatError('UNAVAILABLE', 'away'),
    new GoChatError('INTERNAL_ERROR', 'broken'),
    new Error('a fault of the code'),
  ];
  const handled: unknown[] = [];
  const subscription = await topic.start(async (batch) => {
    const failure = failures.shift();
    if (failure) throw failure;
    handled.push(...batch);
  });
  await eventually(() => handled.length === 5);
  assert.deepEqual([handled, topic.buried()], [numbers(5), []]);
  await subscription.stop();
});

test('a consumer that stops before its records are handled does not commit them: the next one begins with them', async (t) => {
  const topic = await createTopic(t, numbers(5).map(String));
  let tries = 0;
  const first = await topic.start(async () => {
    tries += 1;
    throw new GoChatError('UNAVAILABLE', 'away');
  });
  await eventually(() => tries >= 2);
  await first.stop();
  const handled: unknown[] = [];
  const second = await topic.start(async (batch) => {
    handled.push(...batch);
  });
  await eventually(() => handled.length === 5);
  await second.stop();
  // Handled records do not come again.
  const third = await topic.start(async (batch) => {
    handled.push(...batch);
  });
  await topic.append(['6']);
  await eventually(() => handled.includes(6));
  assert.deepEqual(handled, numbers(6));
  await third.stop();
});

test('a metric shows for how long records have been processed, also while they fail or get no answer', async (t) => {
  const answer = Promise.withResolvers<void>();
  t.after(() => answer.resolve());
  const topic = await createTopic(t, ['1']);
  const stuckSeconds = async () => {
    const shown = await topic.metrics.registry.metrics();
    return Number(/^gochat_consumer_stuck_seconds\{topic="[^"]+"\} (.+)$/m.exec(shown)?.[1]);
  };
  let tries = 0;
  await topic.start(async () => {
    tries += 1;
    if (tries === 1) throw new GoChatError('UNAVAILABLE', 'away');
    await answer.promise;
  });
  await eventually(() => tries === 2);
  const failing = await stuckSeconds();
  assert.ok(failing >= 0.1, `${failing}`);
  await eventually(async () => (await stuckSeconds()) > failing);
  answer.resolve();
  await eventually(async () => (await stuckSeconds()) === 0);
});
