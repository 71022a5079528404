import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type Consumer, connectKafka, withAdmin } from '../../../lib/kafka/kafka.ts';
import { ensureTopics } from '../../../lib/kafka/topics.ts';
import { createLogger } from '../../../lib/log.ts';
import { eventually } from '../../support/eventually.ts';
import { killMember } from '../../support/servers/killed-member.ts';

const log = createLogger('test', 'silent');
const brokers = process.env.KAFKA_BROKERS ?? '127.0.0.1:9092';
const sessionTimeoutMs = 10_000;

/** A topic and a group of this test only, and processes that join it. */
async function createGroup(t: TestContext) {
  const name = randomUUID();
  const topic = `test.predecessors.${name}`;
  const groupId = `group-${name}`;
  const kafka = connectKafka({ brokers, clientId: `test-${name}`, log });
  await withAdmin(kafka, (admin) =>
    ensureTopics(admin, [{ topic, numPartitions: 2, retentionMs: 3_600_000 }]),
  );
  const consumers: Consumer[] = [];
  t.after(async () => {
    await Promise.all(consumers.map((consumer) => consumer.disconnect()));
    await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic] }));
  });
  return {
    kill: (clientId: string) => killMember({ brokers, clientId, groupId, topic }),
    /** The partitions assigned to the process, per join. */
    async join(clientId: string) {
      const joins: { memberId: string; partitions: readonly number[] }[] = [];
      const consumer = connectKafka({ brokers, clientId, log }).consumer({ groupId });
      consumers.push(consumer);
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) =>
        joins.push({ memberId: payload.memberId, partitions: payload.memberAssignment[topic] ?? [] }),
      );
      await consumer.connect();
      await consumer.subscribe({ topic });
      await consumer.run({ eachBatch: async () => undefined });
      await eventually(() => joins.length > 0);
      return joins;
    },
  };
}

test('a consumer restarted after kill -9 gets its partitions long before its old session times out', async (t) => {
  const group = await createGroup(t);
  await group.kill('a');
  const from = performance.now();
  const [first] = await group.join('a');
  const took = performance.now() - from;
  assert.deepEqual(first?.partitions, [0, 1]);
  assert.ok(took < sessionTimeoutMs / 2, `${took} ms`);
});

test('the other members of the group keep their member ids', async (t) => {
  const group = await createGroup(t);
  const other = await group.join('b');
  await group.kill('a');
  await group.join('a');
  await eventually(() => other.at(-1)?.partitions.length === 1);
  assert.equal(new Set(other.map(({ memberId }) => memberId)).size, 1);
});

test('two consumers with the same name share the partitions in the end', async (t) => {
  const group = await createGroup(t);
  const old = await group.join('a');
  const young = await group.join('a');
  const held = () => [old, young].flatMap((joins) => joins.at(-1)?.partitions ?? []).toSorted();
  await eventually(() => old.length > 1 && young.length > 1);
  assert.deepEqual(held(), [0, 1]);
});
