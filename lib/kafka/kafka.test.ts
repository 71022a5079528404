import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createLogger } from '../log.ts';
import { connectKafka, withAdmin } from './kafka.ts';
import { followTail } from './tail.ts';
import { ensureDownstreamTopic, topics } from './topics.ts';

const brokers = process.env.KAFKA_BROKERS ?? '127.0.0.1:9092';
const log = createLogger('test', 'silent');

test('an idle connection sets no timers that are due at once', async (t) => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const due: unknown[] = [];
  const setTimer = globalThis.setTimeout;
  t.mock.method(globalThis, 'setTimeout', ((...args: Parameters<typeof setTimeout>) => {
    if ((args[1] ?? 0) < 0) due.push(args[1]);
    return setTimer(...args);
  }) as typeof setTimeout);

  const kafka = connectKafka({ brokers, clientId: 'kafka-test', log });
  await withAdmin(kafka, (admin) => admin.listTopics());
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual({ due, warnings }, { due: [], warnings: [] });
});

test('requests beyond those allowed in flight wait, and are sent when they may', async () => {
  const kafka = connectKafka({ brokers, clientId: 'kafka-test', log });
  await withAdmin(kafka, async (admin) => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => admin.describeCluster()));
    assert.ok(answers.every(({ brokers: known }) => known.length > 0));
  });
});

test('a new topic can be followed at once', async () => {
  const kafka = connectKafka({ brokers, clientId: 'kafka-test', log });
  const receiverId = `test-${randomUUID()}`;
  const topic = topics.downstream(receiverId);
  await withAdmin(kafka, (admin) => ensureDownstreamTopic(admin, receiverId));
  const tail = await followTail(kafka, { topic, groupId: receiverId, onRecord: () => undefined });
  await tail.stop();
  await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic] }));
});
