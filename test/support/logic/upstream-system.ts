import { randomUUID } from 'node:crypto';
import { messageType } from '../../../lib/domain/enumerations.ts';
import { createGatewayPeers } from '../../../lib/grpc/gateway-peers.ts';
import { connectKafka, withAdmin } from '../../../lib/kafka/kafka.ts';
import { followTail } from '../../../lib/kafka/tail.ts';
import {
  ensureDownstreamTopic,
  ensureSharedTopics,
  ensureTopics,
  topics,
} from '../../../lib/kafka/topics.ts';
import { createLogger } from '../../../lib/log.ts';
import { createMetrics, type Metrics } from '../../../lib/metrics.ts';
import type { DownstreamRecord, UpstreamMessage } from '../../../lib/records/records.ts';
import { startUpstream, type Upstream } from '../../../services/logic/upstream/consumer.ts';
import { createProducing, type Producing } from '../../../services/logic/upstream/producing.ts';
import { eventually } from '../eventually.ts';
import type { MemoryMessages } from './memory-messages.ts';

const log = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'fatal');
const connect = (clientId: string) =>
  connectKafka({ brokers: process.env.KAFKA_BROKERS ?? '127.0.0.1:9092', clientId, log });
export const kafka = connect('test');

/** A separate topic, consumer group and gateway id, and logic processes that consume the topic. */
export async function createUpstreamSystem() {
  const name = randomUUID();
  const topic = `test.upstream.${name}`;
  const gatewayId = `test-${name}`;
  const bootId = 'boot';
  await withAdmin(kafka, async (admin) => {
    await ensureSharedTopics(admin);
    await ensureDownstreamTopic(admin, gatewayId);
    await ensureTopics(admin, [{ topic, numPartitions: 4, retentionMs: 3_600_000 }]);
  });
  // A separate producer, since a producer is unusable after one of its topics was deleted.
  const producer = kafka.producer();
  await producer.connect();
  const received: DownstreamRecord[] = [];
  const tail = await followTail(kafka, {
    topic: topics.downstream(gatewayId),
    groupId: `tail-${name}`,
    onRecord: (value) => received.push(JSON.parse(value.toString('utf8'))),
  });
  const peers = createGatewayPeers(undefined);
  const running: { upstream: Upstream; producing: Producing }[] = [];

  return {
    topic,
    gateways: [{ gatewayId, bootId, userIds: ['7', '8'], pushAddress: '' }],
    received,
    messages: () => received.flatMap((record) => record.messages),
    acks: () => received.flatMap((record) => record.acks),
    /** Starts a process; resolves when it is a member of the group. `wrap` may replace its calls to the broker. */
    async start(
      messages: Pick<MemoryMessages, 'saveMessages' | 'resolveRecipients'>,
      metrics: Metrics = createMetrics('logic'),
      wrap: (producing: Producing) => Producing = (producing) => producing,
    ) {
      const own = connect(`logic-${running.length}-${name}`);
      const producing = wrap(await createProducing({ kafka: own, log }));
      const upstream = await startUpstream({
        kafka: own,
        messages,
        producing,
        peers,
        ownSends: { settle: () => false },
        metrics,
        log,
        topic,
        groupId: `group-${name}`,
      });
      await eventually(upstream.isConsuming);
      running.push({ upstream, producing });
      return upstream;
    },
    message: (conversation_id: string, number: number, more: object = {}) => ({
      user_id: '7',
      conversation_id,
      message_type: messageType.text,
      content: `message ${number}`,
      client_msg_id: `id-${number}`,
      timestamp: Date.now(),
      gateway_id: gatewayId,
      gateway_boot_id: bootId,
      session_id: 'session-1',
      ...more,
    }),
    /** Appends records of any version: the test defines the events. */
    append: (records: (UpstreamMessage | { event: { conversation_id: string } } | string)[]) =>
      producer.send({
        topic,
        messages: records.map((record) =>
          typeof record === 'string'
            ? { key: 'x', value: record }
            : { key: keyOf(record), value: JSON.stringify(record) },
        ),
      }),
    async close() {
      for (const { upstream, producing } of running) {
        await upstream.stop();
        await producing.disconnect();
      }
      peers.close();
      await tail.stop();
      await producer.disconnect();
      await withAdmin(kafka, (admin) =>
        admin.deleteTopics({ topics: [topic, topics.downstream(gatewayId)] }),
      );
    },
  };
}

const keyOf = (record: UpstreamMessage | { event: { conversation_id: string } }) =>
  'event' in record ? record.event.conversation_id : record.conversation_id;

/** The numbers from 1 to `count`. */
export const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
