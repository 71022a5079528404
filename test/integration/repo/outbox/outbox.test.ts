import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, before, test } from 'node:test';
import { connectKafka, withAdmin } from '../../../../lib/kafka/kafka.ts';
import { followTail } from '../../../../lib/kafka/tail.ts';
import { ensureSharedTopics, topics } from '../../../../lib/kafka/topics.ts';
import { createLogger } from '../../../../lib/log.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import type { DeadRecord } from '../../../../lib/records/records.ts';
import { domainEvent, writeEvents } from '../../../../services/repo/outbox/outbox.ts';
import { type OutboxRelay, startOutboxRelay } from '../../../../services/repo/outbox/outbox-relay.ts';
import type { Database } from '../../../../services/repo/storage/database.ts';
import { atEnd } from '../../../support/at-end.ts';
import { eventually } from '../../../support/eventually.ts';
import { connectDatabases, openMigratedDatabase } from '../../../support/repo/database.ts';

const log = createLogger('test', 'silent');
const brokers = process.env.KAFKA_BROKERS ?? '';
/** Topics are shared with other tests: the keys of this test's records contain this text. */
const mark = randomUUID().slice(0, 8);
const { users: database } = connectDatabases(await openMigratedDatabase());
const kafka = connectKafka({ brokers, clientId: `test-${mark}`, log });
let relays: OutboxRelay[] = [];
const received: { topic: string; key: string; value: Record<string, unknown> }[] = [];

before(async () => {
  await withAdmin(kafka, ensureSharedTopics);
  const consumer = kafka.consumer({ groupId: `test-outbox-${mark}` });
  atEnd(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({
    topics: [topics.conversationEvents, topics.userEvents],
    fromBeginning: false,
  });
  const joined = new Promise<void>(
    (resolve) => void consumer.on(consumer.events.GROUP_JOIN, () => resolve()),
  );
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const key = message.key?.toString() ?? '';
      if (key.startsWith(mark))
        received.push({ topic, key, value: JSON.parse(message.value?.toString() ?? '{}') });
    },
  });
  await joined;
  // The first fetch determines the position at the end; records written before it are written again.
  const probe = kafka.producer();
  await probe.connect();
  await eventually(async () => {
    for (const topic of [topics.conversationEvents, topics.userEvents]) {
      const toEachPartition = Array.from({ length: 12 }, (_, partition) => ({
        key: `${mark}-probe`,
        value: '{}',
        partition,
      }));
      await probe.send({ topic, messages: toEachPartition });
    }
    return new Set(received.map(({ topic }) => topic)).size === 2;
  });
  await probe.disconnect();
});

afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  relays = [];
});

function start(over: Database = database, metrics = createMetrics('test')): OutboxRelay {
  const relay = startOutboxRelay({ database: over, kafka, log, metrics });
  relays.push(relay);
  return relay;
}

const updated = (conversationId: string, actorId: string) =>
  domainEvent({ type: 'conversation.updated', conversation_id: conversationId, actor_id: actorId });
const actorsOf = (key: string) =>
  received.filter((record) => record.key === key).map(({ value }) => value.actor_id);
const idsOf = (key: string) =>
  received.filter((record) => record.key === key).map(({ value }) => value.event_id);
const isEmpty = async () => (await database.query('SELECT id FROM outbox LIMIT 1')).length === 0;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));

test('a committed event arrives under its key, and its row is deleted', async () => {
  const key = `${mark}-plain`;
  const relay = start();
  await database.transaction((tx) =>
    writeEvents(tx, [
      updated(key, '7'),
      domainEvent({ type: 'user.updated', user_id: key, actor_id: '7', event_id: 'given' }),
    ]),
  );
  relay.wake();
  await eventually(() => received.filter((record) => record.key === key).length === 2);
  const byTopic = Object.fromEntries(
    received.filter((record) => record.key === key).map(({ topic, value }) => [topic, value]),
  );
  assert.equal(byTopic[topics.conversationEvents]?.type, 'conversation.updated');
  assert.equal(byTopic[topics.userEvents]?.event_id, 'given');
  await eventually(isEmpty);
});

test('a transaction that rolls back writes no event', async () => {
  const key = `${mark}-rolled-back`;
  start();
  const failed = database.transaction(async (tx) => {
    await writeEvents(tx, [updated(key, 'never')]);
    throw new Error('rolled back');
  });
  await assert.rejects(failed, /rolled back/);
  await database.transaction((tx) => writeEvents(tx, [updated(key, 'after')]));
  await eventually(() => actorsOf(key).length > 0);
  assert.deepEqual(actorsOf(key), ['after']);
});

test('several relays at once keep the order of a key and repeat nothing', async () => {
  const keys = numbers(5).map((number) => `${mark}-order-${number}`);
  const all = [start(), start(), start()];
  for (const number of numbers(60)) {
    await database.transaction((tx) =>
      writeEvents(
        tx,
        keys.map((key) => updated(key, number)),
      ),
    );
    all[Number(number) % all.length]?.wake();
  }
  await eventually(() => keys.every((key) => actorsOf(key).length >= 60));
  for (const key of keys) assert.deepEqual(actorsOf(key), numbers(60));
});

test('a row that becomes visible after rows with greater ids is not skipped', async () => {
  const key = `${mark}-late`;
  start();
  await database.transaction(async (tx) => {
    await writeEvents(tx, [updated(key, 'late')]);
    await database.transaction((other) => writeEvents(other, [updated(key, 'early')]));
    await eventually(() => actorsOf(key).includes('early'));
  });
  await eventually(() => actorsOf(key).length === 2);
  assert.deepEqual(actorsOf(key), ['early', 'late']);
});

test('a relay that dies between acknowledgement and delete repeats the events with the same ids', async () => {
  const key = `${mark}-crash`;
  let failed = false;
  const crashing: Database = {
    ...database,
    transaction: (work) =>
      database.transaction((tx) =>
        work({
          ...tx,
          async batchAndCommit(statements) {
            if (!failed) {
              failed = true;
              throw new Error('the connection is gone');
            }
            return tx.batchAndCommit(statements);
          },
        }),
      ),
  };
  await database.transaction((tx) =>
    writeEvents(
      tx,
      numbers(3).map((number) => updated(key, number)),
    ),
  );
  start(crashing);
  await eventually(() => idsOf(key).length === 6);
  assert.equal(new Set(idsOf(key)).size, 3);
  assert.deepEqual(actorsOf(key), ['0', '1', '2', '0', '1', '2']);
  await eventually(isEmpty);
});

test('an event that is too large for the broker becomes a dead letter, is counted, and delays no other event', async () => {
  const key = `${mark}-large`;
  const large = { ...updated(key, 'large'), payload: JSON.stringify({ actor_id: 'x'.repeat(3_000_000) }) };
  await database.transaction((tx) =>
    writeEvents(tx, [updated(key, 'before'), large, updated(key, 'behind')]),
  );
  const metrics = createMetrics('test');
  const dead: DeadRecord[] = [];
  const tail = await followTail(kafka, {
    topic: topics.dead,
    groupId: `tail-${key}`,
    onRecord: (value, itsKey) => {
      if (itsKey?.toString() === key) dead.push(JSON.parse(value.toString('utf8')));
    },
  });
  start(database, metrics);
  await eventually(() => actorsOf(key).length === 2);
  assert.deepEqual(actorsOf(key), ['before', 'behind']);
  await eventually(isEmpty);
  await eventually(() => dead.length === 1);
  await tail.stop();
  const bytes = Buffer.from(dead[0]?.record_base64 ?? '', 'base64');
  assert.ok(bytes.length > 500_000 && large.payload.startsWith(bytes.toString()));
  const shown = await metrics.registry.metrics();
  assert.match(
    shown,
    /^gochat_consumer_records_total\{topic="gochat.conversation-events",result="dead"\} 1$/m,
  );
});

test('while Kafka is down, events wait, and readiness shows it', async () => {
  const away = connectKafka({ brokers: '127.0.0.1:1', clientId: 'test', log });
  const relay = startOutboxRelay({ database, kafka: away, log, metrics: createMetrics('test') });
  await database.transaction((tx) => writeEvents(tx, [updated(`${mark}-away`, '1')]));
  assert.equal(await relay.ready().catch(() => false), false);
  assert.equal(await isEmpty(), false);
  await relay.stop();
  start();
  await eventually(() => actorsOf(`${mark}-away`).length === 1);
});
