// Room: im-repo and the task service of their own, on a Temporal namespace of their own. For the tests of task only.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { loadConfig } from '../../../lib/config.ts';
import { messageType } from '../../../lib/domain/enumerations.ts';
import { connectKafka, withAdmin } from '../../../lib/kafka/kafka.ts';
import type { DownstreamMessage, DownstreamRecord, FanoutTask } from '../../../lib/kafka/records.ts';
import { followTail } from '../../../lib/kafka/tail.ts';
import { ensureDownstreamTopic, ensureSharedTopics, topics } from '../../../lib/kafka/topics.ts';
import { createLogger } from '../../../lib/log.ts';
import { taskConfig } from '../../../services/task/config.ts';
import { startTask } from '../../../services/task/service.ts';
import { atEnd } from '../at-end.ts';
import { eventually } from '../eventually.ts';
import { openRepoService } from '../repo/repo-service.ts';
import { openTemporalNamespace } from './temporal-namespace.ts';

const log = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'fatal');

/**
 * im-repo and the task service over a database and a namespace of the test file's own, with a gateway of its own: what
 * the gateway would get is in `delivered`. A file opens one at its top level; it is closed at the file's end.
 */
export async function openTaskSystem() {
  const gateway = {
    gatewayId: `gw-${randomBytes(4).toString('hex')}`,
    bootId: randomUUID(),
    pushAddress: '',
  };
  const { repo, address } = await openRepoService();
  const kafka = connectKafka({
    brokers: process.env.KAFKA_BROKERS ?? '127.0.0.1:9092',
    clientId: 'test',
    log,
  });
  await withAdmin(kafka, async (admin) => {
    await ensureSharedTopics(admin);
    await ensureDownstreamTopic(admin, gateway.gatewayId);
    // What other tests produced is of other databases: the world room is in each.
    const partitions = await admin.fetchTopicOffsets(topics.fanoutTasks);
    await admin.setOffsets({
      groupId: 'gochat-task',
      topic: topics.fanoutTasks,
      partitions: partitions.map(({ partition, high }) => ({ partition, offset: high })),
    });
  });
  const producer = kafka.producer();
  await producer.connect();
  atEnd(() => producer.disconnect());
  const delivered: DownstreamMessage[] = [];
  const tail = await followTail(kafka, {
    topic: topics.downstream(gateway.gatewayId),
    groupId: gateway.bootId,
    onRecord(value) {
      const record: DownstreamRecord = JSON.parse(value.toString());
      assert.equal(record.gateway_boot_id, gateway.bootId);
      delivered.push(...record.messages);
    },
  });
  atEnd(tail.stop);
  const renew = () => repo.presence.renewGateway({ gateway, synced: true });
  await renew();
  const lease = setInterval(() => void renew().catch(() => undefined), 3000);
  atEnd(() => clearInterval(lease));

  const { namespace, client } = await openTemporalNamespace();
  const config = loadConfig(taskConfig, {
    ...process.env,
    TEMPORAL_NAMESPACE: namespace,
    REPO_ADDRESS: address,
    METRICS_PORT: '0',
  });
  let task = await startTask(config, log);
  atEnd(() => task.stop());
  const isReady = async () => (await fetch(`http://127.0.0.1:${task.adminPort}/readyz`)).ok;
  // Bundling the workflows takes its time on a busy machine.
  await eventually(isReady, 60_000);
  let lastOffset = 0;

  return {
    repo,
    client,
    kafka,
    gateway,
    delivered,
    seqsOf: (conversationId: string) =>
      delivered.filter((message) => message.conversation_id === conversationId).map(({ seq_id }) => seq_id),
    /** Starts the task service anew, and does something while it is away. */
    async restart(whileAway: () => Promise<void>): Promise<void> {
      await task.stop();
      await whileAway();
      task = await startTask(config, log);
    },
    /** Stores messages and tells the task, as logic does. */
    async say(conversationId: string, senderId: string, count: number): Promise<void> {
      const { results } = await repo.messages.saveMessages({
        messages: Array.from({ length: count }, () => ({
          conversationId,
          senderId,
          messageType: messageType.text,
          content: 'hello',
          clientMsgId: randomUUID(),
          mentions: [],
          sourcePartition: 0,
          sourceOffset: ++lastOffset,
        })),
        recipientsOf: [],
      });
      const seqIds = results.map(({ seqId, errorMessage }) => {
        assert.equal(errorMessage, '');
        return seqId;
      });
      const fanoutTask: FanoutTask = {
        conversation_id: conversationId,
        first_seq_id: Math.min(...seqIds),
        last_seq_id: Math.max(...seqIds),
        sent_at: Date.now(),
      };
      await producer.send({
        topic: topics.fanoutTasks,
        acks: -1,
        messages: [{ key: conversationId, value: JSON.stringify(fanoutTask) }],
      });
    },
  };
}
